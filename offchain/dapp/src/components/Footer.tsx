// What the page stands on, said on every page: chain, newest block, and what nobody should forget.
import { describeError } from "../app/errors";
import { useHead, useServices } from "../app/services";

export function Footer() {
  const { deployment } = useServices();
  const { reading, error } = useHead();
  return (
    <>
      <span>
        {deployment.chainId === 31337 ? "Local chain" : `Chain ${deployment.chainId}`}
        {reading === null ? "" : `, block ${reading.time.block.number}`}
        {error === null ? "" : ` (${describeError(error).title})`}
      </span>
      {deployment.srsInsecure ? (
        <span>Proofs rest on a development string whose secret is public.</span>
      ) : null}
      <span>Nobody has audited any of this.</span>
    </>
  );
}
