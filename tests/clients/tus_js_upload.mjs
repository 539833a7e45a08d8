// tus_js_upload.mjs ENDPOINT TOKEN FILE STATE NAME: uploads FILE, resuming what STATE remembers.
import { createReadStream, statSync } from "node:fs";
import * as tus from "tus-js-client";

const [endpoint, token, path, state, name] = process.argv.slice(2);
let began = null;
const upload = new tus.Upload(createReadStream(path), {
  endpoint,
  chunkSize: 1 << 20,
  uploadSize: statSync(path).size,
  headers: { Authorization: `Bearer ${token}` },
  metadata: { filename: name, filetype: "video/mp4" },
  urlStorage: new tus.FileUrlStorage(state),
  fingerprint: async () => "the one file",
  retryDelays: [0, 500, 1000],
  onProgress(sent) {
    if (began === null) {
      began = sent;
    }
  },
  onError(error) {
    console.error(String(error));
    process.exit(1);
  },
  onSuccess() {
    console.log(began ?? 0);
    console.log(upload.url);
  },
});
const earlier = await upload.findPreviousUploads();
if (earlier.length > 0) {
  upload.resumeFromPreviousUpload(earlier[0]);
}
upload.start();
