import type { ReactElement } from "react";
import type { LoggedSentence } from "../model/observed-run.js";
import type { Role } from "../../words/role.js";
import { Line, Rows, say, Title } from "./line.js";

interface DecisionLogProps {
  readonly log: readonly LoggedSentence[];
  readonly rows: number;
  readonly columns: number;
  readonly titled: boolean;
}

const ROLES: Partial<Record<LoggedSentence["kind"], Role>> = {
  decision: "mark",
  operator: "title",
  warning: "warning",
  error: "failure",
};

/** The latest sentences, newest at the bottom; the kind is a word, colour repeats it. */
export function DecisionLog({ log, rows, columns, titled }: DecisionLogProps): ReactElement {
  const shown = log.slice(-(titled ? rows - 1 : rows));
  const lines = shown.map(({ at, kind, text }, index) => {
    const role = ROLES[kind];
    return (
      <Line
        key={index}
        segments={[
          say(`${at.slice(11, 19)} `, "dim"),
          say(`${kind.padEnd(10)} `, role ?? "dim"),
          say(text, kind === "decision" ? "strong" : "plain"),
        ]}
      />
    );
  });
  return (
    <Rows height={rows}>
      {titled ? [<Title key="title" text="log" note="UTC" columns={columns} />, ...lines] : lines}
    </Rows>
  );
}
