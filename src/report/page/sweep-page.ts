import { singleLine } from "../../printable.js";
import type { Sweep, SweptRun } from "../../sweep/swept-run.js";
import { formatCost, formatCount, formatShare } from "../../words/format.js";
import { describeSource, signalName } from "../../words/names.js";
import type { Contents } from "../contents.js";
import type { Figure } from "../figures/figure.js";
import { sweepAnswer } from "../sweeps/sweep-answer.js";
import type { SweepFacts } from "../sweeps/sweep-facts.js";
import { armsOf } from "../tables/arms.js";
import { decidingScore } from "../tables/compared-score.js";
import { filesSentence, PageFigures } from "./figure-html.js";
import { facts, markup, NOTHING, table, type Html } from "./html.js";
import { page, type PageOptions } from "./page.js";
import { notesOf } from "./run-answer.js";
import { sweepNotes } from "./sweep-notes.js";
import { paperSection } from "./paper-section.js";
import { section } from "./section.js";
import { whatIfSection } from "./what-if-section.js";
import { settingsOf } from "./settings.js";
import { tableHtml } from "./table-html.js";

/** The page of a sweep: the answer, the tables, the figures, and every run with what became of it. */
export async function sweepPage(
  found: SweepFacts,
  contents: Contents,
  { written, figuresFolder, refresh }: PageOptions,
): Promise<string> {
  const pageFigures = await PageFigures.load();
  const content = markup`${sweepContent(found, contents, pageFigures)}${filesSentence(figuresFolder)}`;
  return page({
    title: titleOf(found.sweep),
    badge: badgeOf(found.sweep.runs),
    content,
    figures: pageFigures,
    written,
    refresh,
  });
}

export function titleOf({ name, scale }: Sweep): string {
  return `${name}${scale === null ? "" : `, scale ${scale}`}`;
}

/** How many of the runs have finished. */
export function badgeOf(runs: readonly SweptRun[]): Html {
  const count = runs.filter(({ results }) => results?.outcome === "finished").length;
  const style = count === runs.length ? "finished" : "";
  return markup`<span class="badge ${style}">${count} of ${formatCount(runs.length, "run")}</span>`;
}

/** The answer of a sweep, as it stands under a heading. */
export function sweepContent(
  found: SweepFacts,
  { figures, tables, paper, whatIf }: Contents,
  pageFigures: PageFigures,
): Html {
  const { sweep } = found;
  const arms = armsOf(sweep);
  const answer = sweepAnswer(arms, decidingScore(sweep, arms));
  const show = (wanted: (figure: Figure) => boolean): Html[] =>
    figures.filter(wanted).map((one) => pageFigures.show(one));
  return markup`<p class="answer"><b>${answer.headline.charAt(0).toUpperCase() + answer.headline.slice(1)}.</b></p>
    <ul>${answer.sentences.map((sentence) => markup`<li>${sentence}</li>`)}</ul>
    ${notesOf(sweepNotes(found))}
    ${section("Scores", show(isScore))}
    ${section("Tables", tables.map(tableHtml))}
    ${section("Signals and loss", show(isCurve))}
    ${section("Parts of the scores", show(isPart))}
    ${paperSection(paper, pageFigures)}
    ${whatIfSection(whatIf, pageFigures)}
    ${section("Runs", [runsTable(found)])}
    ${section("Failures", [failures(sweep.runs)])}
    ${section("Costs", [costsTable(found)])}
    ${section("What made it", [madeBy(found)])}`;
}

/** Scores of conditions, and over k. */
function isScore(figure: Figure): boolean {
  return figure.kind === "categories" ? figure.column === "condition" : figure.x.column === "k";
}

/** Of single corruptions or languages. */
function isPart(figure: Figure): boolean {
  return figure.kind === "categories" && !isScore(figure);
}

function isCurve(figure: Figure): boolean {
  return !isScore(figure) && !isPart(figure);
}

/** Every planned run, with what decided its k; the numbers behind it are told as the run told them. */
function runsTable({ sweep, runs }: SweepFacts): Html {
  const rows = sweep.runs.map((run) => {
    const { id, condition, seed, standing, takenFrom, results } = run;
    const facts = runs.get(id);
    const decided =
      takenFrom !== null
        ? undefined
        : facts?.log.findLast(({ kind, text }) => kind === "decision" && text.startsWith("k = "));
    const k = results?.k ?? null;
    const why =
      decided?.text ??
      (k === null ? "" : `${describeSource(k.source)}${k.signal === null ? "" : `, ${signalName(k.signal)}`}`);
    const became = takenFrom === null ? (facts?.status ?? standing) : `as ${takenFrom}`;
    return [
      condition,
      seed,
      markup`<code>${id}</code>`,
      became,
      k === null ? "" : String(k.value),
      k?.k_offline == null ? "" : String(k.k_offline),
      why.replace(/^k = \d+: /, ""),
    ];
  });
  const columns = [
    { title: "condition" },
    { title: "seed", number: true },
    { title: "run" },
    { title: "standing" },
    { title: "k", number: true },
    { title: "offline", number: true },
    { title: "why" },
  ];
  return table(columns, rows);
}

function failures(runs: readonly SweptRun[]): Html {
  const failed = runs.flatMap(({ id, failure }) => (failure === null ? [] : [[id, singleLine(failure)]]));
  return failed.length === 0 ? NOTHING : table([{ title: "run" }, { title: "why" }], failed);
}

function costsTable({ sweep, runs }: SweepFacts): Html {
  const rows = armsOf(sweep).flatMap(({ label, completed }) => {
    const results = completed.filter(({ run }) => run.takenFrom === null && runs.has(run.id)).map((one) => one.results);
    if (results.length === 0) return [];
    const mean = (of: (one: (typeof results)[number]) => number): number =>
      results.reduce((sum, one) => sum + of(one), 0) / results.length;
    const train = mean((one) => one.train_seconds);
    const probe = mean((one) => one.probe_seconds);
    const attempts = results.reduce((sum, one) => sum + one.attempts, 0);
    return [
      [
        label,
        results.length,
        formatCost(train),
        formatCost(probe),
        train > 0 ? formatShare(probe / train) : "",
        formatCost(mean((one) => one.evaluate_seconds)),
        attempts,
      ],
    ];
  });
  const columns = [
    { title: "condition" },
    ...["runs", "training", "measuring", "of training", "evaluation", "attempts"].map((title) => ({
      title,
      number: true,
    })),
  ];
  return table(columns, rows, "Means over the runs that trained themselves; attempts are their sum");
}

function madeBy({ sweep, runs, differences }: SweepFacts): Html {
  const conditions = sweep.conditions.map((name) => {
    const own = differences[name] ?? [];
    return [name, own.length === 0 ? "nothing of its own" : markup`<code>${own.join("  ")}</code>`] as const;
  });
  const first = [...runs.values()][0];
  const software = [
    ...new Set(
      sweep.runs.flatMap(({ manifest }) =>
        manifest?.software == null
          ? []
          : [
              Object.entries(manifest.software)
                .map(([name, version]) => `${name} ${version}`)
                .join(", "),
            ],
      ),
    ),
  ];
  const hardware = [
    ...new Set(
      sweep.runs.flatMap(({ manifest }) =>
        manifest === null ? [] : [`${manifest.device ?? "?"}, ${manifest.threads ?? "?"} threads, on ${manifest.host}`],
      ),
    ),
  ];
  const data = [
    ...new Set(sweep.runs.flatMap(({ manifest }) => (manifest?.data == null ? [] : [JSON.stringify(manifest.data)]))),
  ];
  return markup`<h3>What differs between conditions</h3>
    ${facts(conditions)}
    <h3>Software, hardware, data</h3>
    ${facts([["folder", markup`<code>${sweep.folder}</code>`], ...software.map((one) => ["software", one] as const), ...hardware.map((one) => ["hardware", one] as const), ...data.map((one) => ["data", one] as const)])}
    ${
      first === undefined
        ? NOTHING
        : markup`<details><summary>The configuration of ${first.state.run}, with every default</summary><pre>${settingsOf(
            first.state.config,
          )
            .map(([key, value]) => `${key}: ${value}\n`)
            .join("")}</pre></details>`
    }`;
}
