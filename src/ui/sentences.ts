import type { RunConfig } from "../config/attached.js";
import type { EventOf, OperatorCommand } from "../core/events.js";
import { countModelParameters } from "../core/selectors.js";
import { signalKey } from "../core/signal.js";
import { CALM_CHANGES } from "../core/stabilization.js";
import type { RunEnd, State } from "../core/state.js";
import type { JournalRecord } from "../journal/format.js";
import { describeDecision, type Sentence, type SentenceKind } from "./decisions.js";
import { formatAccuracy, formatCount, formatInteger, formatMetric, formatNumber, singleLine } from "./format.js";
import { describeConfig, describeOrigin, signalName } from "./names.js";
import { describeSignals } from "./signal-options.js";

/** What a record says in words, for the plain lines and the decision log alike. `state` is the one after the record. */
export function describeRecord(record: JournalRecord, state: State): Sentence[] {
  const decisions = record.decisions ?? [];
  const ends = (record.commands ?? []).flatMap((command) => (command.type === "run/finish" ? [command.end] : []));
  return [
    ...describeEvent(record, state),
    ...decisions.flatMap((decision) => describeDecision(decision, state)),
    ...ends.map((end) => describeEnd(end, state)),
  ].map((sentence) => ({ ...sentence, text: singleLine(sentence.text) }));
}

function describeEvent({ event, epoch }: JournalRecord, state: State): Sentence[] {
  const outside = (kind: SentenceKind, text: string): Sentence[] => [{ kind, update: null, text }];
  switch (event.type) {
    case "run/created":
      return [`${event.run}: ${describeConfig(event.config)}`, ...describeSignalOptions(event.config)].flatMap((text) =>
        outside("run", text),
      );
    case "controller/started":
      return outside(
        "run",
        `${epoch > 1 ? `controller ${epoch} took over` : "controller"}: process ${event.pid} on ${event.host}`,
      );
    case "controller/interrupted":
      return outside("operator", `${event.signal}: the run stops before its next update, with a checkpoint`);
    case "attempt/launched":
      return outside("worker", `attempt ${event.attempt}: worker started as process ${event.pid}`);
    case "attempt/launchFailed":
      return outside("error", `the worker could not be started: ${event.message}`);
    case "attempt/timedOut":
      return outside(
        "warning",
        `attempt ${event.attempt}: the ${event.clock} clock ran out after ${formatNumber(event.seconds)} s`,
      );
    case "attempt/violated":
      return outside("warning", `attempt ${event.attempt}: ${event.reason}`);
    case "attempt/incompatible":
      return outside("warning", `the worker speaks protocol ${event.theirs}, this controller ${event.ours}`);
    case "attempt/quiet":
      return outside("warning", `${QUIET[event.what]} for ${formatNumber(event.seconds)} s`);
    case "attempt/exited":
      return [];
    case "operator/commanded":
      return outside("operator", `${event.who}: ${describeCommand(event.command)}`);
    default:
      return describeWorkerEvent(event, state);
  }
}

function describeSignalOptions(config: RunConfig): string[] {
  const options = describeSignals(config);
  return options.length === 0 ? [] : [`signals ${options.join("; ")}`];
}

const QUIET = { link: "the link to the worker has been silent", work: "the worker has made no progress" };

type WorkerSentenceEvent = Extract<JournalRecord["event"], { type: `worker/${string}` }>;

function describeWorkerEvent(event: WorkerSentenceEvent, state: State): Sentence[] {
  switch (event.type) {
    case "worker/connected":
      return [{ kind: "worker", update: null, text: describeHello(event.body) }];
    case "worker/prepared":
      return [{ kind: "worker", update: null, text: describeReady(event.body, state) }];
    case "worker/reachedBoundary":
      return describeBoundary(event.body, state);
    case "worker/progressed":
      return [{ kind: "progress", update: event.body.step + 1, text: describeProgress(event.body) }];
    case "worker/evaluated":
      return [{ kind: "evaluation", update: event.body.step + 1, text: describeEvaluated(event.body) }];
    case "worker/checkpointed":
      return [
        {
          kind: "checkpoint",
          update: event.body.step + 1,
          text: `step ${event.body.step} saved in ${event.body.path}`,
        },
      ];
    case "worker/kept": {
      const text = `step ${event.body.step} kept in ${event.body.path}: the best so far`;
      return [{ kind: "checkpoint", update: event.body.step + 1, text }];
    }
    case "worker/logged":
      return describeLog(event.body);
    case "worker/remembered": // What a script brings along is said once, when it is taken over.
    case "worker/closed": // What a close means (an end, a restart) is said by the decision about it.
    case "worker/applied":
      return [];
  }
}

function describeHello({ versions, pid, host }: EventOf<"worker/connected">["body"]): string {
  const software = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return `connected from process ${pid} on ${host}${software.length === 0 ? "" : `: ${software.join(", ")}`}`;
}

function describeReady(body: EventOf<"worker/prepared">["body"], { model }: State): string {
  const blocks = `${formatCount(body.blocks.length, "block")} and a head`;
  const parameters = model === null ? "" : `, ${formatInteger(countModelParameters(model))} parameters`;
  const length = body.num_updates === null ? "no known end" : formatCount(body.num_updates, "update");
  const resumed = body.resumed_from === 0 ? "" : `, resumed from step ${body.resumed_from}`;
  return `ready: ${blocks}${parameters}, ${length}, ${body.device} with ${formatCount(body.threads, "thread")}${resumed}`;
}

/** What was measured, and what the detector makes of it where k is still to be found. */
function describeBoundary(body: EventOf<"worker/reachedBoundary">["body"], state: State): Sentence[] {
  const decisive = signalKey(state.config.intervention.signal);
  return body.metrics
    .filter(({ key }) => key.startsWith("probe/"))
    .map((metric) => {
      const error = metric.standard_error === null ? "" : ` +- ${formatMetric(metric.standard_error, 2)}`;
      const judged = metric.key === decisive && state.judgedUntil === body.update && state.judgement !== null;
      const detector = judged ? `, ${describeJudgement(state)}` : "";
      const text = `${signalName(metric.key)} ${formatMetric(metric.value)}${error}${detector}`;
      return { kind: "signal", update: body.update, text };
    });
}

function describeJudgement(state: State): string {
  const judgement = state.judgement!;
  if (judgement.change === null) return `${judgement.phase} (${formatCount(judgement.points, "point")} so far)`;
  return `${judgement.phase}: change ${formatNumber(judgement.change, 2)} of its range, calm ${judgement.calm} of ${CALM_CHANGES}`;
}

function describeProgress(body: EventOf<"worker/progressed">["body"]): string {
  // Samples are counted in training only.
  if (body.phase !== "train") return body.detail === "" ? body.phase : `${body.phase} ${body.detail}`;
  const loss = body.loss === null ? "" : `loss ${formatMetric(body.loss)}, `;
  return `${loss}${formatNumber(body.samples_per_second)} samples/s`;
}

/** Of 1; a script's own scores may be anything. */
const SHARES: ReadonlySet<string> = new Set(["accuracy", "f1", "exact_match"]);

function describeEvaluated(body: EventOf<"worker/evaluated">["body"]): string {
  const scores = Object.entries(body.values)
    // Their mean is the accuracy.
    .filter(([name]) => !name.startsWith("accuracy/"))
    .map(([name, value]) =>
      SHARES.has(name) && typeof value === "number"
        ? `${name} ${formatAccuracy(value)}`
        : `${name} ${formatMetric(value)}`,
    );
  const { split, from_jpeg: fromJpeg = false, left_out: leftOut = null } = body;
  const origin = describeOrigin(body.regenerated, fromJpeg, ", ");
  const facts = `${formatCount(body.num_examples, "example")}${origin}`;
  return `${[split, scores.join(", ")].join(" ").trimEnd()} (${facts})${leftOut === null ? "" : `, left out: ${leftOut}`}`;
}

function describeLog({ level, text }: EventOf<"worker/logged">["body"]): Sentence[] {
  if (level === "debug") return [];
  return [{ kind: level === "info" ? "worker" : level, update: null, text }];
}

export function describeCommand(command: OperatorCommand): string {
  const when = command.at === undefined ? "" : ` before update ${command.at}`;
  const what = command.verb === "set-lr" ? `set-lr ${formatNumber(command.factor)}` : command.verb;
  return `${what}${when}`;
}

function describeEnd(end: RunEnd, state: State): Sentence {
  const update = Math.max(0, state.frontier);
  if (end.outcome === "finished")
    return { kind: "run", update, text: `finished after ${formatCount(update - 1, "update")}` };
  if (end.outcome === "stopped") return { kind: "run", update, text: `stopped: ${end.message}` };
  const hint = end.hint === "" ? "" : ` (hint: ${end.hint})`;
  return { kind: "error", update: update === 0 ? null : update, text: `failed: ${end.message}${hint}` };
}
