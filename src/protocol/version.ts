/** Version of the wire protocol, independent of the package's version. Peers with another major refuse each other; a sender uses only what the lower minor knows. */
export const PROTOCOL_VERSION = { major: 1, minor: 0 } as const;

/** First frame of every message: lets a stray peer be told apart before anything is decoded. */
export const PROTOCOL_TAG = "THAW1";
