import { selectDetector } from "../../reading/detector-view.js";
import { selectPlateau } from "../../reading/plateau-view.js";
import { selectBlocks } from "../../reading/selectors.js";
import { detectorRule } from "../../core/measured.js";
import { composeManifest } from "../../runs/manifest.js";
import { conditionsOf } from "../../words/conditions.js";
import { formatAccuracy, formatCost, formatInteger, formatMoved, formatShare } from "../../words/format.js";
import { describeConfig, signalName } from "../../words/names.js";
import { summarySections } from "../../words/summary-sections.js";
import { singleLine } from "../../printable.js";
import { namedScores } from "../../reading/named-scores.js";
import type { RunFacts } from "../facts/run-facts.js";
import type { Contents } from "../contents.js";
import type { Figure } from "../figures/figure.js";
import { filesSentence, PageFigures } from "./figure-html.js";
import { facts, markup, NOTHING, table, type Html } from "./html.js";
import { page, type PageOptions } from "./page.js";
import { answerOf } from "./run-answer.js";
import { section } from "./section.js";
import { whatIfSection } from "./what-if-section.js";
import { settingsOf } from "./settings.js";

/** The page of one run. */
export async function runPage(
  run: RunFacts,
  { figures, whatIf }: Pick<Contents, "figures" | "whatIf">,
  { written, figuresFolder, refresh }: PageOptions,
): Promise<string> {
  const pageFigures = await PageFigures.load();
  const show = (wanted: (figure: Figure) => boolean): Html[] =>
    figures.filter(wanted).map((one) => pageFigures.show(one));
  const isSignal = ({ id }: Figure): boolean => id.startsWith("signal-");
  const isTraining = ({ id }: Figure): boolean => id === "loss" || id === "learning-rate";
  const isScore = ({ kind }: Figure): boolean => kind === "categories";
  const content = markup`${answerOf(run)} ${section("Signals", show(isSignal))}
  ${section("Detector", [...show(({ id }) => id === "detector"), detectorTable(run)])}
  ${section("Blocks", [...show(({ kind }) => kind === "timeline"), blocksTable(run)])}
  ${section("Training", show(isTraining))} ${section("Scores", [...show(isScore), scoresTable(run)])}
  ${whatIfSection(whatIf, pageFigures)} ${section("Costs", [costsTable(run)])}
  ${section("In words", [facts(summarySections(run.results, run.state).flatMap(([label, sentences]) => (sentences.length === 0 ? [] : [[label, sentences.map((sentence) => markup`<div>${sentence}</div>`)] as const])))])}
  ${section("Log", [logTable(run)])} ${section("Attempts", [attemptsTable(run)])}
  ${section("What made it", [madeBy(run), filesSentence(figuresFolder)])}`;
  const status = run.status.replace(" ", "-");
  const badge = markup`<span class="badge ${status}">${run.status}</span>`;
  return page({ title: run.state.run, badge, content, figures: pageFigures, written, refresh });
}

function detectorTable({ state, judgements }: RunFacts): Html {
  const view = selectPlateau(state) ?? selectDetector(state);
  if (view === null) return NOTHING;
  const { signal, tau, epsilon } = detectorRule(state.config);
  const last = judgements.at(-1);
  const phases = judgements.filter(
    ({ judgement }, index) => judgement.phase !== judgements[index - 1]?.judgement.phase,
  );
  const words = phases.map(({ update, judgement }) => `${judgement.phase} from update ${update}`).join(", ");
  const rows = conditionsOf(view).map(({ name, met, long }) => [
    markup`<span class="${met ? "met" : "unmet"}">${met ? "✓" : "✗"} ${name}</span>`,
    long,
  ]);
  const caption = `The rule's conditions for ${signalName(signal)} (tau ${tau}, epsilon ${epsilon}) as judged before update ${last?.update ?? 0}; it fires when all are met`;
  return markup`${table([{ title: "condition" }, { title: "what was seen" }], rows, caption)}
    <p>Phases: ${words}.</p>`;
}

function blocksTable({ state }: RunFacts): Html {
  const blocks = selectBlocks(state);
  if (blocks.length === 0) return NOTHING;
  const rows = blocks.map(({ name, numParams, release, live, moved }) => [
    name,
    formatInteger(numParams),
    release === 0 ? "from the start" : live ? `since update ${release ?? "?"}` : "never",
    moved === null ? "" : formatMoved(moved).replace("moved ", ""),
  ]);
  const columns = [
    { title: "block" },
    { title: "parameters", number: true },
    { title: "trained" },
    { title: "moved", number: true },
  ];
  return table(columns, rows, "Moved: distance of the weights from where the run began, relative to their size");
}

function scoresTable({ results }: RunFacts): Html {
  const scores = Object.entries(namedScores(results)).filter(([name]) => !name.startsWith("recorded/"));
  if (scores.length === 0) return NOTHING;
  return table(
    [{ title: "score" }, { title: "value", number: true }],
    scores.map(([name, value]) => [name, formatAccuracy(value)]),
  );
}

function costsTable({ results }: RunFacts): Html {
  const { train_seconds: train, probe_seconds: probe, controller_wait_seconds: wait } = results;
  const rows: [string, number][] = [
    ["training", train],
    ["measuring signals", probe],
    ["waiting for the controller", wait],
    ["evaluation", results.evaluate_seconds],
    ["checkpoints", results.checkpoint_seconds],
  ];
  const columns = [{ title: "what" }, { title: "time", number: true }, { title: "of training", number: true }];
  return table(
    columns,
    rows.map(([what, seconds]) => [what, formatCost(seconds), train > 0 ? formatShare(seconds / train) : ""]),
  );
}

/** Lines that are shown of a long log: the first and the last ones. */
const LOG_LINES = 400;

function logTable({ log, began }: RunFacts): Html {
  const day = began.slice(0, 10);
  const shown = log.length <= LOG_LINES ? log : [...log.slice(0, LOG_LINES / 2), ...log.slice(-LOG_LINES / 2)];
  const left = log.length - shown.length;
  const rows = shown.map(({ at, update, kind, text }) => {
    const time = at.startsWith(day) ? at.slice(11, 19) : `${at.slice(0, 10)} ${at.slice(11, 19)}`;
    return markup`<tr class="${kind}">
      <td>${time}</td>
      <td>${update === null ? "" : `update ${update}`}</td>
      <td>${kind}</td>
      <td>${text}</td>
    </tr> `;
  });
  const said = left === 0 ? "" : ` ${formatInteger(left)} lines in the middle are left out.`;
  return markup`<details${log.length <= 40 ? markup` open` : NOTHING}><summary>${formatInteger(log.length)} lines, UTC, from ${day}.${said}</summary>
<div class="scroll" tabindex="0"><table class="log"><tbody>
${rows}</tbody></table></div></details>`;
}

function attemptsTable({ attempts }: RunFacts): Html {
  if (attempts.length === 0) return NOTHING;
  const rows = attempts.map(({ number, launched, host, resumedFrom, lastUpdate, ended }) => [
    number,
    `${launched.slice(0, 10)} ${launched.slice(11, 19)}`,
    host ?? "never connected",
    resumedFrom === null ? "was never ready" : resumedFrom === 0 ? "the beginning" : `step ${resumedFrom}`,
    lastUpdate === null ? "" : String(lastUpdate),
    singleLine(ended ?? "goes on, or was cut off"),
  ]);
  const columns = ["attempt", "launched (UTC)", "host", "went on from", "last boundary", "end"].map((title) => ({
    title,
  }));
  return table(columns, rows);
}

function madeBy(run: RunFacts): Html {
  const { state, versions, results, folder, attempts } = run;
  const { config, model } = state;
  const { data, pretrained, promise } = composeManifest(state, versions.thawline ?? "");
  const command =
    config.script === undefined
      ? `npx thawline run ${folder}/config.yaml`
      : `npx thawline attach -- ${config.script.command.join(" ")}`;
  const software = Object.entries(state.software ?? {}).map(([name, version]) => `${name} ${version}`);
  const own = [
    ...(versions.thawline === null ? [] : [`thawline ${versions.thawline}`]),
    ...(versions.node === null ? [] : [`node ${versions.node}`]),
  ];
  const hosts = [...new Set(attempts.flatMap(({ host }) => host ?? []))];
  const rows: [string, string | Html][] = [
    ["run", describeConfig(config)],
    ["command", markup`<code>${command}</code>`],
    ["software", [...own, ...software].join(", ") || "not known"],
    [
      "hardware",
      `${model?.device ?? "device not known"}, ${model?.threads ?? "?"} threads, on ${hosts.join(", ") || "no host"}`,
    ],
    ["data", data === null ? "the script's own" : dataWords(data)],
    ...(pretrained === null
      ? []
      : [
          ["pretrained", `${pretrained.name}${pretrained.revision === null ? "" : ` at ${pretrained.revision}`}`] as [
            string,
            string,
          ],
        ]),
    ["reproducible", promise],
    [
      "weights",
      results.weights_sha256 === null
        ? (results.weights_unhashed ?? "no hash")
        : markup`<code>${results.weights_sha256}</code>`,
    ],
    ["journal", `${formatInteger(run.numRecords)} records, core version ${state.coreVersion}`],
  ];
  return markup`${facts(rows)}
    <details>
      <summary>The configuration, with every default</summary>
      <pre>
${settingsOf(config)
  .map(([key, value]) => `${key}: ${value}\n`)
  .join("")}</pre>
    </details>`;
}

function dataWords(data: NonNullable<ReturnType<typeof composeManifest>["data"]>): string {
  if ("path" in data)
    return `${data.kind} from ${data.path}, checksums ${data.checksums_verified ? "verified" : "not verified"}`;
  const sources = Object.entries(data.sources).map(
    ([name, source]) => `${name}: ${typeof source === "string" ? source : JSON.stringify(source)}`,
  );
  return `${data.kind}; ${sources.join("; ")}`;
}
