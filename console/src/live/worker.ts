/// <reference lib="webworker" />
import { Stream, type LiveMessage, type PageMessage } from './stream';

// One worker holds the one event stream of all pages: HTTP/1.1 allows six connections an origin.
declare const self: SharedWorkerGlobalScope;

const ports = new Set<MessagePort>();
const stream = new Stream((message) => {
  for (const port of ports) port.postMessage(message);
});

self.onconnect = (connection) => {
  const port = connection.ports[0];
  if (!port) return;
  port.onmessage = (event: MessageEvent<PageMessage>) => {
    if (event.data === 'hello') {
      ports.add(port);
      stream.start();
      port.postMessage({ type: 'state', state: stream.state } satisfies LiveMessage);
    } else if (event.data === 'retry') {
      stream.retry();
    } else {
      ports.delete(port);
      if (ports.size === 0) stream.stop();
    }
  };
};
