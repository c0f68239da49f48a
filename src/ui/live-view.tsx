import { render, useStdout, type Instance } from "ink";
import { useEffect, useState, useSyncExternalStore, type ReactElement } from "react";
import { readKeyboard } from "./keyboard.js";
import { CLEAR_SCREEN } from "./terminal.js";
import type { Theme } from "./theme.js";
import type { SweepModel } from "./model/sweep-model.js";
import type { ViewModel } from "./model/view-model.js";
import { Frame } from "./views/frame.js";
import { SweepFrame } from "./views/sweep-frame.js";

/** State changes at most a few times a second; over SSH every frame costs. */
const MOST_FRAMES_PER_SECOND = 8;

interface AppProps {
  readonly model: ViewModel;
  readonly theme: Theme;
}

/** The view: the model's snapshots on the screen. */
export function App({ model, theme }: AppProps): ReactElement {
  const snapshot = useSyncExternalStore(model.subscribe, model.snapshot);
  const { columns, rows } = useTerminalSize();
  return <Frame snapshot={snapshot} theme={theme} columns={columns} rows={rows} />;
}

interface SweepAppProps {
  readonly model: SweepModel;
  readonly theme: Theme;
}

/** Likewise of a sweep. */
export function SweepApp({ model, theme }: SweepAppProps): ReactElement {
  const snapshot = useSyncExternalStore(model.subscribe, model.snapshot);
  const { columns, rows } = useTerminalSize();
  return <SweepFrame snapshot={snapshot} theme={theme} columns={columns} rows={rows} />;
}

function useTerminalSize(): { columns: number; rows: number } {
  const { stdout } = useStdout();
  const measure = (): { columns: number; rows: number } => ({ columns: stdout.columns || 80, rows: stdout.rows || 24 });
  const [size, setSize] = useState(measure);
  useEffect(() => {
    const resized = (): void => setSize(measure());
    stdout.on("resize", resized);
    return () => {
      stdout.off("resize", resized);
    };
  }, [stdout]);
  return size;
}

interface Streams {
  readonly stdout: NodeJS.WriteStream;
  readonly stdin: NodeJS.ReadStream;
}

/** Draws the view and reads its keys until it is unmounted. */
export function mount({ model, theme, ...streams }: AppProps & Streams): Instance {
  return mountApp(<App model={model} theme={theme} />, model.press, streams);
}

/** Likewise the view of a sweep. */
export function mountSweep({ model, theme, ...streams }: SweepAppProps & Streams): Instance {
  return mountApp(<SweepApp model={model} theme={theme} />, model.press, streams);
}

function mountApp(app: ReactElement, press: (keys: readonly string[]) => void, { stdout, stdin }: Streams): Instance {
  // Before Ink's own listener: what a smaller terminal left of the old frame would stay between the new lines.
  stdout.prependListener("resize", clear);
  function clear(): void {
    stdout.write(CLEAR_SCREEN);
    instance.clear();
  }
  const instance = render(app, {
    stdout,
    stdin,
    exitOnCtrlC: false,
    patchConsole: false,
    maxFps: MOST_FRAMES_PER_SECOND,
  });
  const leaveKeyboard = readKeyboard(stdin, press);
  void instance
    .waitUntilExit()
    .finally(() => {
      leaveKeyboard();
      stdout.off("resize", clear);
    })
    .catch(() => undefined);
  return instance;
}
