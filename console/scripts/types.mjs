// Generates src/api/openapi.ts from the API description that the daemon's build keeps in docs/.
import { existsSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const source = fileURLToPath(new URL('../../docs/openapi.json', import.meta.url));
const target = fileURLToPath(new URL('../src/api/openapi.ts', import.meta.url));
if (!existsSync(source)) {
  console.error(`no ${source}: generate the API description first`);
  process.exit(1);
}
const bin = fileURLToPath(new URL('../node_modules/.bin/openapi-typescript', import.meta.url));
process.exit(spawnSync(bin, [source, '-o', target], { stdio: 'inherit' }).status ?? 1);
