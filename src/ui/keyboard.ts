import { StringDecoder } from "node:string_decoder";
import { KeyDecoder } from "./model/key-decoder.js";

/**
 * Reads keys from a terminal, each as it is pressed and none echoed, until the returned function is called.
 * Ink's own reader takes whatever arrives at once for one key, and so loses a Ctrl-C that was pressed twice.
 *
 * @param onKeys names of the keys that arrived at once
 */
export function readKeyboard(stdin: NodeJS.ReadStream, onKeys: (keys: readonly string[]) => void): () => void {
  const characters = new StringDecoder("utf8");
  const decoder = new KeyDecoder();
  const read = (bytes: Buffer): void => {
    const keys = decoder.decode(characters.write(bytes));
    if (keys.length > 0) onKeys(keys);
  };
  const leave = (): void => {
    process.removeListener("exit", leave);
    stdin.off("data", read);
    stdin.setRawMode(false);
    stdin.pause();
    stdin.unref();
  };
  process.on("exit", leave);
  stdin.ref();
  stdin.setRawMode(true);
  stdin.on("data", read);
  return leave;
}
