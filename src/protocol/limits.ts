/**
 * Bounds on what either side decodes. They hold before anything is allocated, because a 100-byte msgpack frame that
 * announces nested arrays of 2^32 elements ends a Node process (docs/decisions/0003-message-limits.md).
 */
export const LIMITS = {
  frameBytes: 64 * 1024,
  stringBytes: 16 * 1024,
  arrayLength: 1024,
  mapLength: 256,
  depth: 8,
  /** Tracebacks and log texts are cut to this by the sender: an oversize frame makes libzmq drop the connection silently. */
  textBytes: 8 * 1024,
} as const;
