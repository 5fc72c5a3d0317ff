// Errors of this page's own checks: typed, with the facts, so that a page can say what is wrong in words.

export type Facts = Readonly<Record<string, string | number | bigint>>;

export class ProtocolError extends Error {
  readonly facts: Facts;

  constructor(message: string, facts: Facts = {}) {
    super(message);
    this.name = new.target.name;
    this.facts = facts;
  }
}

/** Values that do not fit their declared width, shape or range. */
export class TensorError extends ProtocolError {}

/** Bytes or terms that do not hash to what names them: whoever served them is wrong or lies. */
export class DigestMismatch extends ProtocolError {}

/** A graph whose operators this page does not compute; the message names the operator. */
export class UnsupportedGraph extends ProtocolError {}

/** A document (graph, bundle, answer) that is not of the form it must have. */
export class MalformedDocument extends ProtocolError {}

/** An answer of the gateway that is an error: its own name and facts. */
export class GatewayError extends ProtocolError {
  readonly kind: string;
  readonly status: number;

  constructor(kind: string, message: string, status: number, facts: Facts = {}) {
    super(message, facts);
    this.kind = kind;
    this.status = status;
  }
}

/** Neither the gateway nor the chain could be reached. */
export class Unreachable extends ProtocolError {}

/** Addresses that are not one deployment on the chain that is connected. */
export class WrongDeployment extends ProtocolError {}

/** An amount that a person typed and that is none. */
export class AmountError extends ProtocolError {}
