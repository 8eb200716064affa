// Command line: writes the generated files; with --check only says what is stale, and exits 1 if anything is.
import { createGeneratedFiles, findStaleFiles, writeGeneratedFiles } from './generated-files.ts';

const root = import.meta.dirname;
// A bare `--` comes along when npm passes options on: `npm run generate -- -- --check`.
const options = process.argv.slice(2).filter((option) => option !== '--');
const unknown = options.find((option) => option !== '--check');

if (unknown !== undefined) {
  console.error(`unknown option ${unknown}; usage: node contracts/generate.ts [--check]`);
  process.exitCode = 2;
} else if (options.length === 0) {
  const files = createGeneratedFiles();
  writeGeneratedFiles(root, files);
  console.log(`contracts: ${files.size} generated files written`);
} else {
  for (const line of findStaleFiles(root, createGeneratedFiles())) {
    console.error(`contracts/${line} (npm run generate writes it)`);
    process.exitCode = 1;
  }
}
