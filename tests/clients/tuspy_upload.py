"""tuspy_upload.py ENDPOINT TOKEN FILE STATE NAME: uploads FILE in pieces, resuming what STATE remembers."""

import sys

from tusclient.client import TusClient
from tusclient.storage.filestorage import FileStorage

endpoint, token, path, state, name = sys.argv[1:]
client = TusClient(endpoint, headers={"Authorization": f"Bearer {token}"})
uploader = client.uploader(
    path,
    chunk_size=1 << 20,
    metadata={"filename": name, "filetype": "video/mp4"},
    store_url=True,
    url_storage=FileStorage(state),
    retries=3,
    retry_delay=1,
)
print(uploader.offset, flush=True)
uploader.upload()
print(uploader.url, flush=True)
