// `node server.mjs DIR`: the tus server that `make bench` compares with, on a free loopback port.
import { writeFileSync } from "node:fs";
import { Server } from "@tus/server";
import { FileStore } from "@tus/file-store";

const directory = process.argv[2];
const server = new Server({ path: "/files", datastore: new FileStore({ directory }) });
const http = server.listen({ host: "127.0.0.1", port: 0 }, () => {
  const { address, port } = http.address();
  writeFileSync(`${directory}/server.addr`, `${address}:${port}`);
});
