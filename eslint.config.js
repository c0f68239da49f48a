import js from "@eslint/js";
import { defineConfig } from "eslint/config";
import tseslint from "typescript-eslint";

/** What core would need to be anything but a function of its events. */
const IMPURE_GLOBALS = ["Date", "performance", "process", "setTimeout", "setInterval", "fetch", "console"];

/** Whose last digits differ from one engine to another; a replay must give the same bits. `Math.abs` and its like are exact. */
const INEXACT = [
  "random",
  "exp",
  "expm1",
  "log",
  "log2",
  "log10",
  "log1p",
  "pow",
  "sin",
  "cos",
  "tan",
  "hypot",
  "cbrt",
].map((property) => ({ object: "Math", property }));

export default defineConfig(
  { ignores: ["dist/", "node_modules/", ".venv/", "runs/", "coverage/", ".cache/"] },
  js.configs.recommended,
  {
    files: ["**/*.{ts,tsx}"],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/switch-exhaustiveness-check": [
        "error",
        { considerDefaultExhaustiveForUnions: true, requireDefaultForNonUnion: false },
      ],
      // Numbers in texts are what most of our texts are made of.
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      // `record["key"]` marks an index signature, which tsconfig's noUncheckedIndexedAccess makes worth seeing.
      "@typescript-eslint/dot-notation": "off",
      // An empty text counts as absent in environment variables, which `??` cannot say.
      "@typescript-eslint/prefer-nullish-coalescing": ["error", { ignorePrimitives: { string: true } }],
      "@typescript-eslint/no-empty-function": "off",
      "@typescript-eslint/no-confusing-void-expression": [
        "error",
        { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true },
      ],
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", ignoreRestSiblings: true }],
      // Index arithmetic in numeric code says more with `!` than with a branch that cannot be reached.
      "@typescript-eslint/no-non-null-assertion": "off",
      "@typescript-eslint/consistent-type-definitions": "off",
      // `a === null || a.b === null` says which of the two is missing; node's errors are typed where they are caught.
      "@typescript-eslint/prefer-optional-chain": "off",
      "@typescript-eslint/use-unknown-in-catch-callback-variable": "off",
      "@typescript-eslint/consistent-indexed-object-style": "off",
      "no-restricted-properties": [
        "error",
        { object: "process", property: "exit", message: "Only cli.ts ends the process: throw an error instead." },
      ],
    },
  },
  { files: ["src/cli.ts"], rules: { "no-restricted-properties": "off" } },
  {
    files: ["src/core/**/*.ts", "src/reading/**/*.ts"],
    rules: { "no-restricted-globals": ["error", ...IMPURE_GLOBALS] },
  },
  {
    files: ["src/core/**/*.ts"],
    rules: { "no-restricted-properties": ["error", ...INEXACT] },
  },
  {
    files: ["**/*.{js,mjs}"],
    languageOptions: {
      globals: Object.fromEntries(
        ["process", "console", "performance", "URL", "setInterval", "clearInterval", "setTimeout", "clearTimeout"].map(
          (name) => [name, "readonly"],
        ),
      ),
    },
  },
);
