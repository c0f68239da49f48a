import { capability, type Context, curveKeyPair, Reply } from "zeromq";
import { BugError } from "../errors.js";

/** What libzmq calls for every new connection of the same context (ZeroMQ RFC 27, ZAP). */
const ZAP_ADDRESS = "inproc://zeromq.zap.01";
const ZAP_DOMAIN = "thawline";

export interface KeyPair {
  publicKey: string;
  secretKey: string;
}

/** Decides who may connect: a closed list of public keys, empty at first. */
export class Authentication {
  private readonly allowed = new Set<string>();
  private readonly serverKeys = curveKeyPair();

  private constructor(
    private readonly reply: Reply,
    private readonly onRefused: (reason: string) => void,
  ) {}

  /** Must be open before a socket of `context` is bound; `onRefused` hears of every connection that is turned away. */
  static async open(context: Context, onRefused: (reason: string) => void): Promise<Authentication> {
    if (!capability.curve) throw new BugError("this build of zeromq has no CURVE encryption");
    const reply = new Reply({ context, linger: 0 });
    await reply.bind(ZAP_ADDRESS);
    const authentication = new Authentication(reply, onRefused);
    void authentication.answer();
    return authentication;
  }

  get serverPublicKey(): string {
    return this.serverKeys.publicKey;
  }

  /** Enforcing the domain makes libzmq refuse everybody while no handler answers; without it, it accepts everybody. */
  get serverOptions() {
    return {
      curveServer: true,
      curveSecretKey: this.serverKeys.secretKey,
      zapDomain: ZAP_DOMAIN,
      zapEnforceDomain: true,
    };
  }

  /** A new key pair whose holder may connect from now on. */
  allowNewKey(): KeyPair {
    const keys = curveKeyPair();
    this.allowed.add(keys.publicKey);
    return keys;
  }

  /** No new connection with this key; one that stands already stays, so the router drops what it sends. */
  revoke(publicKey: string): void {
    this.allowed.delete(publicKey);
  }

  close(): void {
    this.reply.close();
  }

  private async answer(): Promise<void> {
    for (;;) {
      try {
        const request = await this.reply.receive();
        const refusal = this.refusal(request);
        if (refusal !== null) this.onRefused(refusal);
        const [version = "", requestId = ""] = request;
        const status = refusal === null ? ["200", "OK"] : ["400", "refused"];
        await this.reply.send([version, requestId, ...status, "", ""]);
      } catch (error) {
        if (this.reply.closed) return;
        // Whatever it was: without a handler nobody is let in any more.
        this.close();
        this.onRefused(`nobody can connect any more: the authentication failed (${(error as Error).message})`);
        return;
      }
    }
  }

  /** Why a request is refused, or null; its frames are version, id, domain, address, identity, mechanism, key. */
  private refusal(request: Buffer[]): string | null {
    const [, , domain, , , mechanism, key] = request;
    if (domain?.toString() !== ZAP_DOMAIN) return "a connection for another domain";
    if (mechanism?.toString() !== "CURVE" || key?.length !== 32) return "a connection without a CURVE key";
    return this.allowed.has(z85(key)) ? null : "a connection with a key that is not (or no longer) that of an attempt";
  }
}

const Z85_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";

/** ZeroMQ RFC 32: five digits for every four bytes. */
function z85(bytes: Buffer): string {
  let text = "";
  for (let offset = 0; offset < bytes.length; offset += 4) {
    let rest = bytes.readUInt32BE(offset);
    let digits = "";
    for (let digit = 0; digit < 5; digit++) {
      digits = Z85_DIGITS.charAt(rest % 85) + digits;
      rest = Math.floor(rest / 85);
    }
    text += digits;
  }
  return text;
}
