import type { RunConfig } from "../config/attached.js";
import type { EventOf, OperatorRequest } from "../core/events.js";
import { completedUpdates, messageOf } from "../reading/results.js";
import { countModelParameters } from "../reading/selectors.js";
import { isPlateau } from "../core/detector/series-rule.js";
import { recordedNameIn, signalKey } from "../core/detector/signal.js";
import { CALM_CHANGES } from "../core/detector/stabilization.js";
import { detectorRule } from "../core/measured.js";
import { provenanceOf } from "../core/provenance.js";
import { recordedMetrics } from "../core/recorded.js";
import type { RunEnd, State } from "../core/state.js";
import type { JournalRecord } from "../journal/format.js";
import { describeDecision, type Sentence, type SentenceKind } from "./decisions.js";
import { formatAccuracy, formatCount, formatInteger, formatMetric, formatNumber } from "./format.js";
import { singleLine } from "../printable.js";
import { describeConfig, describeOrigin, signalName } from "./names.js";
import { describePlateau } from "./plateau.js";
import { describeSignals } from "./signal-options.js";

/** What a record says in words, for the plain lines and the decision log alike. `state` is the one after the record. */
export function describeRecord(record: JournalRecord, state: State): Sentence[] {
  return [...describeEvent(record, state), ...describeOutcome(record, state)].map(onOneLine);
}

/** The same without what comes in the ordinary course of training, a line a boundary: signals and progress. */
export function describeNews(record: JournalRecord, state: State): Sentence[] {
  const { type } = record.event;
  const ordinary = type === "worker/progressed" || type === "worker/reachedBoundary";
  return ordinary ? describeOutcome(record, state).map(onOneLine) : describeRecord(record, state);
}

function onOneLine(sentence: Sentence): Sentence {
  return { ...sentence, text: singleLine(sentence.text) };
}

function describeOutcome(record: JournalRecord, state: State): Sentence[] {
  const sentences: Sentence[] = [];
  for (const decision of record.decisions ?? []) sentences.push(...describeDecision(decision, state));
  for (const command of record.commands ?? []) {
    if (command.type === "run/finish") sentences.push(describeEnd(command.end, state));
  }
  return sentences;
}

/** A script that has trained may take its time for the rest, once more from here on. */
function describeStop({ attempt, config: { supervision } }: State): string {
  return attempt?.stage === "closed"
    ? `the training is over; the run ends with its process, at most ${supervision.stop_grace_seconds} s from now`
    : "the run stops before its next update, with a checkpoint";
}

function describeEvent({ event, term }: JournalRecord, state: State): Sentence[] {
  const outside = (kind: SentenceKind, text: string): Sentence[] => [{ kind, update: null, text }];
  switch (event.type) {
    case "run/created":
      return [`${event.run}: ${describeConfig(event.config)}`, ...describeSignalOptions(event.config)].flatMap((text) =>
        outside("run", text),
      );
    case "controller/started":
      return outside(
        "run",
        `${term > 1 ? `controller ${term} took over` : "controller"}: process ${event.pid} on ${event.host}`,
      );
    case "controller/interrupted":
      return outside("operator", `${event.signal}: ${describeStop(state)}`);
    case "controller/failed":
      return outside("error", `the controller ends, and its worker with it: ${event.message}`);
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
    case "operator/requested":
      return outside("operator", `${event.who}: ${describeRequest(event.request)}`);
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
  const decisive = signalKey(detectorRule(state.config).signal);
  return [...body.metrics, ...recordedMetrics(body)]
    .filter(({ key }) => key.startsWith("probe/") || recordedNameIn(key) !== null)
    .map((metric) => {
      const error = metric.standard_error === null ? "" : ` +- ${formatMetric(metric.standard_error, 2)}`;
      const judged =
        metric.key === decisive && state.signal.judgedUntil === body.update && state.signal.judgement !== null;
      const detector = judged ? `, ${describeJudgement(state)}` : "";
      const text = `${signalName(metric.key)} ${formatMetric(metric.value)}${error}${detector}`;
      return { kind: "signal", update: body.update, text };
    });
}

function describeJudgement(state: State): string {
  const judgement = state.signal.judgement!;
  if (isPlateau(judgement)) return describePlateau(judgement);
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
  const { split } = body;
  const provenance = provenanceOf(body);
  const { leftOut } = provenance;
  const facts = `${formatCount(body.num_examples, "example")}${describeOrigin(provenance, ", ")}`;
  return `${[split, scores.join(", ")].join(" ").trimEnd()} (${facts})${leftOut === null ? "" : `, left out: ${leftOut}`}`;
}

function describeLog({ level, text }: EventOf<"worker/logged">["body"]): Sentence[] {
  if (level === "debug") return [];
  return [{ kind: level === "info" ? "worker" : level, update: null, text }];
}

export function describeRequest(command: OperatorRequest): string {
  const when = command.at === undefined ? "" : ` before update ${command.at}`;
  const what = command.verb === "set-lr" ? `set-lr ${formatNumber(command.factor)}` : command.verb;
  return `${what}${when}`;
}

function describeEnd(end: RunEnd, state: State): Sentence {
  const update = Math.max(0, state.progress.frontier);
  if (end.outcome === "finished") {
    const message = messageOf(end);
    const why = message === null ? "" : `: ${message}`;
    return { kind: "run", update, text: `finished after ${formatCount(completedUpdates(state), "update")}${why}` };
  }
  if (end.outcome === "stopped") return { kind: "run", update, text: `stopped: ${end.message}` };
  const hint = end.hint === "" ? "" : ` (hint: ${end.hint})`;
  return { kind: "error", update: update === 0 ? null : update, text: `failed: ${end.message}${hint}` };
}
