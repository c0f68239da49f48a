import { z } from "zod";
import { decided, meanLoss, metric, point, recorded, resumed, spentSeconds, warmingUp } from "./body-parts.js";
import { characters, count, learningRates, metricValue, name, sha256, text, update } from "./values.js";

export { metricValue, type MetricValue } from "./values.js";

const head = z.strictObject({ name, num_params: count });
/** A block may train with the head from the first update; it is never unfrozen then. */
const block = head.extend({ trainable_from_start: z.boolean().optional() });
/** Saved weights; `path` is relative to the run folder. */
const saved = z.strictObject({ path: text, step: count, manifest_sha256: sha256 });
const emptyBody = z.strictObject({});

/** What a controller may order at a boundary, besides training on. */
export const order = z.enum(["checkpoint", "evaluate", "validate", "keep_best", "restore_best"]);
export type Order = z.infer<typeof order>;

const protocolVersion = z.strictObject({ major: count, minor: count });

const trained = { weights_sha256: sha256.nullable(), weights_unhashed: text.optional(), early: z.boolean().optional() };
const finished = { outcome: z.literal("finished"), step: count, ...trained, seconds: spentSeconds, recorded };

const closed = z.discriminatedUnion("outcome", [
  z.strictObject(finished),
  z.strictObject({ outcome: z.literal("stopped"), step: count, seconds: spentSeconds }),
  z.strictObject({
    outcome: z.literal("failed"),
    step: count,
    fault: z.enum(["user", "code", "environment"]),
    code: name,
    message: text,
    hint: text.default(""),
    traceback: text.default(""),
  }),
]);

/**
 * Every message kind, once: who sends it, what its body holds, since which protocol version, and what it means.
 * Wire keys are snake_case and appear unrenamed in the TypeScript types. docs/protocol.md explains the order of messages.
 */
export const MESSAGES = {
  hello: {
    sender: "worker",
    since: "1.0",
    meaning: "A worker process is up and names the protocol, the attempt and the software it runs.",
    body: z.strictObject({
      protocol: protocolVersion,
      pid: z.int().positive(),
      host: name,
      attempt: z.int().positive(),
      versions: z.record(characters(64), characters(256)),
    }),
  },
  welcome: {
    sender: "controller",
    since: "1.0",
    meaning: "The worker is accepted; carries the agreed protocol and what the worker reads of the configuration.",
    body: z.strictObject({
      protocol: protocolVersion,
      run_folder: text,
      config: z.record(z.string(), z.unknown()),
      resume_from: saved.nullable(),
    }),
  },
  reject: {
    sender: "controller",
    since: "1.0",
    meaning: "The worker is refused and must exit.",
    body: z.strictObject({ code: name, message: text, hint: text }),
  },
  ready: {
    sender: "worker",
    since: "1.0",
    meaning: "Model, data and optimizer stand; the worker waits for its first grant.",
    body: z.strictObject({
      blocks: z.array(block).max(1024),
      head,
      num_updates: update.nullable(),
      updates_per_epoch: update.nullable(),
      learning_rates: learningRates,
      device: name,
      threads: z.int().positive(),
      seed: count,
      resumed_from: count,
      can: z.array(order).max(8),
      micro_batch: z.int().positive().optional(),
      new_head: z.boolean().optional(),
      resumed: resumed.optional(),
    }),
  },
  history: {
    sender: "worker",
    since: "1.0",
    meaning: "Before `ready`: points of a series that a script measured in another run and goes on from.",
    body: z.strictObject({ key: name, points: z.array(point).max(256) }),
  },
  grant: {
    sender: "controller",
    since: "1.0",
    meaning: "Permits updates up to `until - 1`; mask and factor are absolute and hold from the grant's first update.",
    body: z.strictObject({
      until: update.nullable(),
      trainable: z.array(name).max(1024),
      learning_rate_factor: z.number().nonnegative(),
      orders: z.array(order).max(8),
      probe: z.array(name).max(64),
      probe_every: update.optional(),
      decided: decided.optional(),
      best: saved.optional(),
      warming_up: warmingUp.optional(),
    }),
  },
  recall: {
    sender: "controller",
    since: "1.0",
    meaning: "Ends the running grant before the next update.",
    body: emptyBody,
  },
  stop: {
    sender: "controller",
    since: "1.0",
    meaning: "The worker closes before the next update, with a checkpoint if asked for.",
    body: z.strictObject({
      reason: z.enum(["finished", "interrupted", "operator", "failed"]),
      checkpoint: z.boolean(),
    }),
  },
  applied: {
    sender: "worker",
    since: "1.0",
    meaning: "What the worker really did with a grant that changed or ordered something.",
    body: z.strictObject({
      update,
      trainable_sha256: sha256,
      num_trainable: count,
      learning_rates: learningRates,
    }),
  },
  boundary: {
    sender: "worker",
    since: "1.0",
    meaning: "The worker stands before `update`, has measured what the grant asked for, and waits.",
    body: z.strictObject({
      update,
      recalled: z.boolean(),
      metrics: z.array(metric).max(64),
      seconds: spentSeconds,
      moved: z.array(metricValue.nullable()).max(1024).optional(),
      recorded,
    }),
  },
  progress: {
    sender: "worker",
    since: "1.0",
    meaning: "For people, at most two a second, droppable, never read by a policy.",
    body: z.strictObject({
      step: count,
      loss: metricValue.nullable(),
      samples_per_second: z.number().nonnegative(),
      phase: z.enum(["train", "probe", "evaluate", "checkpoint"]),
      detail: characters(256),
    }),
  },
  evaluated: {
    sender: "worker",
    since: "1.0",
    meaning: "One split's scores in the state after `step` updates.",
    body: z.strictObject({
      step: count,
      split: name,
      values: z.record(characters(64), metricValue),
      num_examples: count,
      regenerated: z.boolean(),
      from_jpeg: z.boolean().optional(),
      left_out: characters(256).nullable().optional(),
      made_with: characters(256).optional(),
      loss: meanLoss.optional(),
    }),
  },
  checkpointed: {
    sender: "worker",
    since: "1.0",
    meaning: "A checkpoint is complete on disk; `path` is relative to the run folder.",
    body: saved.extend({ weights_sha256: sha256 }),
  },
  kept: {
    sender: "worker",
    since: "1.0",
    meaning: "The weights after `step` updates are on disk as the best so far; `path` is relative to the run folder.",
    body: saved.extend({ weights_sha256: sha256 }),
  },
  log: {
    sender: "worker",
    since: "1.0",
    meaning: "A line for the operator.",
    body: z.strictObject({ level: z.enum(["debug", "info", "warning", "error"]), text }),
  },
  ping: {
    sender: "both",
    since: "1.0",
    meaning: "Asks whether the link is alive; answered by the I/O thread, so it says nothing about the work.",
    body: emptyBody,
  },
  pong: { sender: "both", since: "1.0", meaning: "Answers a ping.", body: emptyBody },
  closed: {
    sender: "worker",
    since: "1.0",
    meaning: "The worker's last message: how its attempt ended.",
    body: closed,
  },
} as const satisfies Record<
  string,
  { sender: "worker" | "controller" | "both"; since: string; meaning: string; body: z.ZodType }
>;

export type MessageKind = keyof typeof MESSAGES;

/** The body of one kind, as it is after parsing (defaults filled in). */
export type Body<K extends MessageKind> = z.output<(typeof MESSAGES)[K]["body"]>;

type KindsOf<S extends string> = {
  [K in MessageKind]: (typeof MESSAGES)[K]["sender"] extends S | "both" ? K : never;
}[MessageKind];

export type WorkerKind = KindsOf<"worker"> | "ping" | "pong";
export type ControllerKind = KindsOf<"controller"> | "ping" | "pong";

/** Fields around every body; `seq` counts from 1 per session and direction, a gap is an error. */
export const envelope = z.strictObject({
  kind: z.enum(Object.keys(MESSAGES) as [MessageKind, ...MessageKind[]]),
  run: name,
  attempt: z.int().positive(),
  session: characters(64, 1),
  seq: z.int().positive(),
  reply_to: z.int().positive().optional(),
  body: z.unknown(),
});

export type Message<K extends MessageKind = MessageKind> = {
  [P in K]: Omit<z.infer<typeof envelope>, "kind" | "body"> & { kind: P; body: Body<P> };
}[K];
