import { Box, Text } from "ink";
import { createContext, useContext, type ReactElement } from "react";
import { printableRow } from "../../printable.js";
import { createTheme, type Theme } from "../theme.js";
import type { Segment } from "../../words/role.js";

export const ThemeContext = createContext<Theme>(createTheme({ color: false, unicode: true }));

export function useTheme(): Theme {
  return useContext(ThemeContext);
}

/** One row of text, cut where it does not fit. The one place of the view that draws text, so that none moves the cursor. */
export function Line({ segments }: { readonly segments: readonly Segment[] }): ReactElement {
  const theme = useTheme();
  return (
    <Box height={1} flexShrink={0} overflow="hidden">
      {/* Ink marks a cut with an ellipsis, which an ASCII terminal cannot show: there the rest is hidden instead. */}
      <Text wrap={theme.unicode ? "truncate" : "wrap"}>
        {segments.map(({ text, role }, index) => (
          <Text key={index} {...theme.style(role)}>
            {printableRow(text)}
          </Text>
        ))}
      </Text>
    </Box>
  );
}

/** A heading in a rule: `-- tr(F) ------------ log --`; the note goes first where room is short. Both texts are ours, one column a character. */
export function Title({ text, note, columns }: { text: string; note?: string; columns: number }): ReactElement {
  const { rule } = useTheme().glyphs;
  const fits = text.length + (note ?? "").length + 10 <= columns;
  const end = note === undefined || note === "" || !fits ? "" : ` ${note} ${rule.repeat(2)}`;
  const fill = Math.max(1, columns - text.length - end.length - 4);
  return (
    <Line
      segments={[
        { text: `${rule.repeat(2)} `, role: "dim" },
        { text, role: "title" },
        { text: ` ${rule.repeat(fill)}${end}`, role: "dim" },
      ]}
    />
  );
}

/** A block of rows of a fixed height: what does not fit is cut, what is missing stays empty. */
export function Rows({
  height,
  children,
}: {
  height: number;
  children: ReactElement | readonly ReactElement[];
}): ReactElement {
  return (
    <Box flexDirection="column" height={height} flexShrink={0} overflow="hidden">
      {children}
    </Box>
  );
}

export function say(text: string, role: Segment["role"] = "plain"): Segment {
  return { text, role };
}
