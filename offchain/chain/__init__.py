"""The chain's client, accounts, journal, events and one binding a contract; the only door to web3."""
