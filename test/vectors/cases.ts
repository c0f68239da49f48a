import type { MessageKind } from "../../src/protocol/messages.js";
import { Entries, Float, Raw, type WireValue } from "./msgpack-writer.js";

type Body = { [key: string]: WireValue };

export interface KindCases {
  /** As the kind's own sender writes it, byte for byte. */
  valid: Record<string, Body>;
  /** Valid, with optional fields missing; `decoded` is the body with the defaults filled in. */
  shortened?: Record<string, { body: Body; decoded: Body }>;
  /** Name of the case -> the body, and the path below `$.body` that the error must name; code is `schema` unless given. */
  invalid: Record<string, { body: WireValue; path: string; code?: string }>;
}

const f = (value: number) => new Float(value);
const hash = "0123456789abcdef".repeat(4);
const otherHash = "f".repeat(64);
const spent: Body = { train: f(12.5), probe: f(1), wait: f(0), evaluate: f(0), checkpoint: f(0.25) };
const block: Body = { name: "blocks.0", num_params: 1728 };
const metric: Body = {
  key: "probe/fisher_trace",
  value: f(3),
  standard_error: f(0.125),
  change_standard_error: null,
  span_standard_error: null,
  seconds: f(0.5),
};
/** 2^60 as an unsigned integer, and a double NaN. */
const tooLarge = new Raw("cf1000000000000000");
const nan = new Raw("cb7ff8000000000000");

const hello: Body = {
  protocol: { major: 1, minor: 0 },
  pid: 4711,
  host: "node-3",
  attempt: 1,
  versions: { python: "3.11.9", torch: "2.13.0" },
};
const welcome: Body = {
  protocol: { major: 1, minor: 0 },
  run_folder: "/data/runs/a",
  config: { name: "a", train: { learning_rate: 0.01, epochs: 2 }, evaluate: null },
  resume_from: null,
};
const ready: Body = {
  blocks: [block, { name: "blocks.1", num_params: 70000 }],
  head: { name: "head", num_params: 650 },
  num_updates: 1000,
  updates_per_epoch: 100,
  learning_rates: [f(0.1), f(1)],
  device: "cuda:0",
  threads: 2,
  seed: 9007199254740991,
  resumed_from: 0,
  can: ["checkpoint", "evaluate"],
};
const grant: Body = {
  until: 51,
  trainable: ["head", "blocks.1"],
  learning_rate_factor: 0.1,
  orders: ["checkpoint"],
  probe: ["probe/fisher_trace"],
};
const decided: Body = {
  interval: {
    k: 120,
    source: "online",
    signal: "fisher_trace",
    decided_at: 120,
    k_offline: null,
    k_offline_reason: "the signal never settles",
  },
  operator: { unfreezes: [130, 140], learning_rate_factor: f(0.5) },
};
const warmingUp: Body[] = [
  { blocks: ["blocks.1", "blocks.0"], since: 31, num_updates: 50 },
  { blocks: ["stem"], since: 41, num_updates: 50 },
];
const resumed: Body = { run: "run-1", trainable: ["head", "blocks.1"], learning_rate_factor: f(0.5), decided };
const point: Body = {
  value: f(3),
  standard_error: f(0.125),
  change_standard_error: null,
  span_standard_error: null,
  seconds: f(0.5),
  update: 40,
};
const stop: Body = { reason: "finished", checkpoint: true };
const applied: Body = { update: 40, trainable_sha256: hash, num_trainable: 650, learning_rates: [f(0.1)] };
const boundary: Body = { update: 40, recalled: false, metrics: [metric], seconds: spent };
const progress: Body = { step: 39, loss: f(2.25), samples_per_second: f(100), phase: "train", detail: "" };
const evaluated: Body = {
  step: 100,
  split: "ood",
  values: { accuracy: f(0.75), loss: { non_finite: "inf" } },
  num_examples: 10000,
  regenerated: true,
};
const checkpointed: Body = { step: 100, path: "checkpoints/100", manifest_sha256: hash, weights_sha256: otherHash };
const best: Body = { path: "best/100", step: 100, manifest_sha256: hash };
const log: Body = { level: "warning", text: "a line" };
const finished: Body = { outcome: "finished", step: 1000, weights_sha256: hash, seconds: spent };
const stopped: Body = { outcome: "stopped", step: 12, seconds: spent };
const failed: Body = {
  outcome: "failed",
  step: 7,
  fault: "code",
  code: "python_exception",
  message: "ValueError: x",
  hint: "",
  traceback: "Traceback (most recent call last):\n  ...",
};
const metrics = (...list: WireValue[]) => ({ ...boundary, metrics: list });

export const CASES: Record<MessageKind, KindCases> = {
  hello: {
    valid: { typical: hello, "no versions": { ...hello, versions: {} } },
    invalid: {
      "text for a number": { body: { ...hello, pid: "4711" }, path: ".pid" },
      "a pid of zero": { body: { ...hello, pid: 0 }, path: ".pid" },
      "a negative minor": { body: { ...hello, protocol: { major: 1, minor: -1 } }, path: ".protocol.minor" },
      "an empty host": { body: { ...hello, host: "" }, path: ".host" },
      "a version that is too long": { body: { ...hello, versions: { torch: "x".repeat(257) } }, path: ".versions" },
      "a version's name that is too long": {
        body: { ...hello, versions: { ["x".repeat(65)]: "" } },
        path: ".versions",
      },
    },
  },
  welcome: {
    valid: {
      typical: welcome,
      resuming: { ...welcome, resume_from: { path: "checkpoints/100", step: 100, manifest_sha256: hash } },
      "as deep as allowed": { ...welcome, config: { a: { b: { c: { d: [[1]] } } } } },
    },
    invalid: {
      "too deep": {
        body: { ...welcome, config: { a: [[[[[[1]]]]]] } },
        path: ".config.a[0][0][0][0][0]",
        code: "limit",
      },
      "a NaN in the configuration": { body: { ...welcome, config: { a: nan } }, path: ".config.a" },
      "an integer beyond 53 bits": {
        body: { ...welcome, config: { seed: tooLarge } },
        path: ".config.seed",
        code: "limit",
      },
      "a key given twice": {
        body: {
          ...welcome,
          config: new Entries([
            ["a", 1],
            ["a", 2],
          ]),
        },
        path: ".config",
        code: "msgpack",
      },
      "__proto__ as a key": { body: { ...welcome, config: { ["__proto__"]: {} } }, path: ".config", code: "msgpack" },
      "a number as a key": { body: { ...welcome, config: new Entries([[1, 2]]) }, path: ".config", code: "msgpack" },
      binary: { body: { ...welcome, config: { a: new Raw("c4020000") } }, path: ".config.a", code: "msgpack" },
      "an extension type": {
        body: { ...welcome, config: { a: new Raw("d6ff00000000") } },
        path: ".config.a",
        code: "msgpack",
      },
      "text that is not UTF-8": {
        body: { ...welcome, run_folder: new Raw("a2c328") },
        path: ".run_folder",
        code: "msgpack",
      },
    },
  },
  reject: {
    valid: { typical: { code: "incompatible_protocol", message: "protocol 2 is not spoken here", hint: "" } },
    invalid: {
      "an empty code": { body: { code: "", message: "", hint: "" }, path: ".code" },
      "null for a text": { body: { code: "a", message: "", hint: null }, path: ".hint" },
    },
  },
  ready: {
    valid: {
      typical: ready,
      "an open end": { ...ready, num_updates: null, updates_per_epoch: null, blocks: [], can: [] },
      "with a block that trains from the start": {
        ...ready,
        blocks: [{ ...block, trainable_from_start: true }],
        can: ["checkpoint", "evaluate", "validate", "keep_best", "restore_best"],
      },
      "with a head drawn anew": { ...ready, new_head: true },
      "with the size of its probes' micro-batches": { ...ready, micro_batch: 128 },
      "of a script with a checkpoint of its own": { ...ready, resumed_from: 150, can: [], resumed },
      "of a script whose blocks warm up": {
        ...ready,
        resumed_from: 150,
        can: [],
        resumed: { ...resumed, warming_up: warmingUp },
      },
      "the longest name in characters": { ...ready, head: { name: "\u{1f600}".repeat(256), num_params: 1 } },
    },
    invalid: {
      "a name that is too long": {
        body: { ...ready, head: { name: "x".repeat(257), num_params: 1 } },
        path: ".head.name",
      },
      "a micro-batch of no examples": { body: { ...ready, micro_batch: 0 }, path: ".micro_batch" },
      "too many orders": { body: { ...ready, can: Array<string>(9).fill("evaluate") }, path: ".can" },
      "an unknown order": { body: { ...ready, can: ["dance"] }, path: ".can[0]" },
      "a fraction for a count": { body: { ...ready, threads: f(1.5) }, path: ".threads" },
      "a seed beyond 53 bits": { body: { ...ready, seed: tooLarge }, path: ".seed", code: "limit" },
      "a negative learning rate": { body: { ...ready, learning_rates: [f(-1)] }, path: ".learning_rates[0]" },
      "too many blocks": { body: { ...ready, blocks: Array<WireValue>(1025).fill(0) }, path: ".blocks", code: "limit" },
      "a word for whether a block trains": {
        body: { ...ready, blocks: [{ ...block, trainable_from_start: "yes" }] },
        path: ".blocks[0].trainable_from_start",
      },
      "a head that says when it trains": {
        body: { ...ready, head: { ...block, trainable_from_start: true } },
        path: ".head",
      },
      "an unknown field inside a block": { body: { ...ready, head: { ...block, extra: 1 } }, path: ".head" },
      "a resumed run without a name": { body: { ...ready, resumed: { ...resumed, run: "" } }, path: ".resumed.run" },
      "null for a resumed run": { body: { ...ready, resumed: null }, path: ".resumed" },
    },
  },
  history: {
    valid: { typical: { key: "probe/fisher_trace", points: [point] }, empty: { key: "a", points: [] } },
    shortened: {
      "a point without standard errors": {
        body: { key: "a", points: [{ value: f(1), seconds: f(1), update: 1 }] },
        decoded: { key: "a", points: [{ ...point, value: f(1), standard_error: null, seconds: f(1), update: 1 }] },
      },
    },
    invalid: {
      "a point before update zero": {
        body: { key: "a", points: [{ ...point, update: 0 }] },
        path: ".points[0].update",
      },
      "too many points": { body: { key: "a", points: Array<Body>(257).fill(point) }, path: ".points" },
    },
  },
  grant: {
    valid: {
      typical: grant,
      "to a script": { ...grant, learning_rate_factor: f(0.1), decided },
      "to a script before k is known": { ...grant, decided: { ...decided, interval: null } },
      "with points further apart": { ...grant, probe_every: 30, decided: { ...decided, probe_every: 30 } },
      "with the best weights": { ...grant, until: 1001, orders: ["restore_best", "evaluate"], best },
      "while blocks warm up": { ...grant, warming_up: warmingUp },
      "without a limit": { ...grant, until: null, learning_rate_factor: 1, trainable: [], orders: [], probe: [] },
    },
    invalid: {
      "until update zero": { body: { ...grant, until: 0 }, path: ".until" },
      "points no update apart": { body: { ...grant, probe_every: 0 }, path: ".probe_every" },
      "a negative factor": { body: { ...grant, learning_rate_factor: f(-0.5) }, path: ".learning_rate_factor" },
      "a warm-up of one update": {
        body: { ...grant, warming_up: [{ ...warmingUp[0], num_updates: 1 }] },
        path: ".warming_up[0].num_updates",
      },
      "an infinite factor": { body: { ...grant, learning_rate_factor: f(Infinity) }, path: ".learning_rate_factor" },
      "a map for an array": { body: { ...grant, orders: {} }, path: ".orders" },
      "true for a number": { body: { ...grant, until: true }, path: ".until" },
      "best weights without a manifest": {
        body: { ...grant, best: { ...best, manifest_sha256: "" } },
        path: ".best.manifest_sha256",
      },
      "an unknown source of k": {
        body: { ...grant, decided: { ...decided, interval: { ...(decided["interval"] as Body), source: "luck" } } },
        path: ".decided.interval.source",
      },
    },
  },
  recall: { valid: { typical: {} }, invalid: {} },
  stop: {
    valid: { typical: stop, interrupted: { reason: "interrupted", checkpoint: false } },
    invalid: {
      "an unknown reason": { body: { ...stop, reason: "bored" }, path: ".reason" },
      "a number for a boolean": { body: { ...stop, checkpoint: 1 }, path: ".checkpoint" },
    },
  },
  applied: {
    valid: { typical: applied },
    invalid: {
      "a digest in capitals": { body: { ...applied, trainable_sha256: "A".repeat(64) }, path: ".trainable_sha256" },
      "a digest with a newline": { body: { ...applied, trainable_sha256: `${hash}\n` }, path: ".trainable_sha256" },
    },
  },
  boundary: {
    valid: {
      typical: boundary,
      "non-finite metrics": metrics(
        ...["nan", "inf", "-inf"].map((value) => ({ ...metric, value: { non_finite: value } })),
      ),
      "recalled, without metrics": { ...boundary, recalled: true, metrics: [] },
      "with what a script recorded": {
        ...boundary,
        recorded: [
          { name: "validation_loss", value: f(0.5), standard_error: f(0.125) },
          { name: "val/acc-2.top", value: { non_finite: "nan" }, standard_error: null },
        ],
      },
      "with how far blocks have moved": {
        ...boundary,
        moved: [f(0.25), f(0), null, { non_finite: "nan" }],
      },
      "with values of blocks": metrics(
        {
          ...metric,
          blocks: { values: [f(1), null], seconds: f(0.5), standard_errors: [f(0.25), null] },
        },
        { ...metric, blocks: { values: [{ non_finite: "inf" }], seconds: f(0) } },
      ),
    },
    shortened: {
      "a metric without standard errors": {
        body: metrics({ key: "a", value: f(1), seconds: f(1) }),
        decoded: metrics({ ...metric, key: "a", value: f(1), standard_error: null, seconds: f(1) }),
      },
      "integers for floats": {
        body: metrics({ key: "a", value: 1, seconds: 0 }),
        decoded: metrics({ ...metric, key: "a", value: f(1), standard_error: null, seconds: f(0) }),
      },
    },
    invalid: {
      "a bare NaN": { body: metrics(metric, { ...metric, value: nan }), path: ".metrics[1].value" },
      "a bare infinity": { body: metrics({ ...metric, value: f(-Infinity) }), path: ".metrics[0].value" },
      "an unknown non-finite": {
        body: metrics({ ...metric, value: { non_finite: "huge" } }),
        path: ".metrics[0].value",
      },
      "text for a metric": { body: metrics({ ...metric, value: "3" }), path: ".metrics[0].value" },
      "negative seconds": { body: metrics({ ...metric, seconds: f(-1) }), path: ".metrics[0].seconds" },
      "too many metrics": { body: metrics(...Array<Body>(65).fill(metric)), path: ".metrics" },
      "text for a block's value": {
        body: metrics({ ...metric, blocks: { values: [f(1), "2"], seconds: f(0) } }),
        path: ".metrics[0].blocks.values[1]",
      },
      "too many blocks": {
        body: metrics({ ...metric, blocks: { values: Array<null>(129).fill(null), seconds: f(0) } }),
        path: ".metrics[0].blocks.values",
      },
      "seconds that lack a field": { body: { ...boundary, seconds: { train: f(1) } }, path: ".seconds" },
      "a recorded name that no configuration could write": {
        body: { ...boundary, recorded: [{ name: "validation loss", value: f(1), standard_error: null }] },
        path: ".recorded[0].name",
      },
      "a recorded name that ends in a new line": {
        body: { ...boundary, recorded: [{ name: "loss\n", value: f(1), standard_error: null }] },
        path: ".recorded[0].name",
      },
      "text for a distance": { body: { ...boundary, moved: [f(0), "far"] }, path: ".moved[1]" },
    },
  },
  progress: {
    valid: { typical: progress, "no loss yet": { ...progress, loss: null, phase: "probe", detail: "batch 3 of 16" } },
    invalid: {
      "an unknown phase": { body: { ...progress, phase: "sleep" }, path: ".phase" },
      "a negative step": { body: { ...progress, step: -1 }, path: ".step" },
      "a detail that is too long": { body: { ...progress, detail: "x".repeat(257) }, path: ".detail" },
    },
  },
  evaluated: {
    valid: {
      typical: evaluated,
      "images from JPEG files": { ...evaluated, from_jpeg: true, left_out: "the images are JPEG files already" },
      "images from other files": { ...evaluated, from_jpeg: false, left_out: null },
      "regenerated images": { ...evaluated, split: "ood/frost", made_with: "pictures of imagecorruptions-imaug 1.1.5" },
      "a loss": { ...evaluated, split: "development", loss: { value: f(0.5), standard_error: f(0.25) } },
      "a loss of one example": { ...evaluated, loss: { value: { non_finite: "nan" }, standard_error: null } },
      "names of Object.prototype": { ...evaluated, values: { constructor: f(1), toString: f(2) } },
    },
    invalid: {
      "a bare NaN": { body: { ...evaluated, values: { loss: nan } }, path: ".values.loss" },
      "a loss without a word of its error": {
        body: { ...evaluated, loss: { value: f(0.5) } },
        path: ".loss",
      },
      "nothing that it was made with": { body: { ...evaluated, made_with: null }, path: ".made_with" },
      "text for a score": { body: { ...evaluated, values: { loss: "1" } }, path: ".values" },
      "too many scores": {
        body: { ...evaluated, values: Object.fromEntries(Array.from({ length: 257 }, (_, i) => [`s${i}`, f(i)])) },
        path: ".values",
        code: "limit",
      },
    },
  },
  checkpointed: {
    valid: { typical: checkpointed },
    invalid: { "a short digest": { body: { ...checkpointed, weights_sha256: "ab" }, path: ".weights_sha256" } },
  },
  kept: {
    valid: { typical: { ...checkpointed, path: "best/100" } },
    invalid: { "a step before the first": { body: { ...checkpointed, step: -1 }, path: ".step" } },
  },
  log: {
    valid: { typical: log, "every kind of character": { level: "info", text: "\ufeffü\n\u{1f600}\u0000" } },
    invalid: {
      "an unknown level": { body: { ...log, level: "fatal" }, path: ".level" },
      "a text that is too long": { body: { ...log, text: "x".repeat(16_385) }, path: ".text", code: "limit" },
    },
  },
  ping: { valid: { typical: {} }, invalid: {} },
  pong: { valid: { typical: {} }, invalid: {} },
  closed: {
    valid: {
      finished,
      "finished early": { ...finished, early: true },
      "finished, with weights that have no SHA-256": { ...finished, weights_sha256: null, weights_unhashed: "sharded" },
      stopped,
      failed,
    },
    shortened: {
      "failed, without hint and traceback": {
        body: { outcome: "failed", step: 7, fault: "user", code: "a", message: "" },
        decoded: { outcome: "failed", step: 7, fault: "user", code: "a", message: "", hint: "", traceback: "" },
      },
    },
    invalid: {
      "an unknown outcome": { body: { ...stopped, outcome: "vanished" }, path: "" },
      "no outcome": { body: { step: 12, seconds: spent }, path: "" },
      "an unknown fault": { body: { ...failed, fault: "weather" }, path: ".fault" },
      "an early end that is not said plainly": { body: { ...finished, early: "yes" }, path: ".early" },
      "a field of another outcome": { body: { ...stopped, fault: "user" }, path: "" },
    },
  },
};
