import type { ReactElement } from "react";
import { Line, Rows, say, Title } from "../components/line.js";
import { KEYMAP } from "../model/keymap.js";

/** Every key and what it does, from the table that dispatches them. */
export function Help({ rows, columns }: { readonly rows: number; readonly columns: number }): ReactElement {
  const lines = (control: boolean): ReactElement[] =>
    KEYMAP.filter((binding) => binding.control === control).map(({ keys, help }) => (
      <Line key={keys[0]} segments={[say(` ${keys.join(", ").padEnd(11)}`, "key"), say(help)]} />
    ));
  return (
    <Rows height={rows}>
      {[
        ...(rows >= KEYMAP.length + 2 ? [<Title key="view" text="keys" note="the view" columns={columns} />] : []),
        ...lines(false),
        ...(rows >= KEYMAP.length + 2
          ? [
              <Title
                key="control"
                text="orders to the run"
                note="journaled, done before the next update"
                columns={columns}
              />,
            ]
          : []),
        ...lines(true),
      ]}
    </Rows>
  );
}
