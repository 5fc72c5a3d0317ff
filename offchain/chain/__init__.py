"""The chain: client, accounts, journal, events, one binding a contract; the only door to web3."""
