# Verifies a receipt with nothing of Docket: Python's standard library and openssl 3.
# python3 verify_by_hand.py RECEIPT ORIGINAL KEY    (see docs/verify.md; a test runs it)
import base64, hashlib, json, subprocess, sys, tempfile, pathlib

receipt_file, original_file, key_file = sys.argv[1:4]
raw = open(receipt_file, "rb").read().rstrip(b"\n")
document = json.loads(raw)
receipt = document["receipt"]
canonical = lambda value: json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()

name, key_hash, encoded = open(key_file).read().strip().split("+", 2)
public = base64.b64decode(encoded)[1:]                      # after the algorithm byte 1, Ed25519
assert hashlib.sha256(name.encode() + b"\n\x01" + public).hexdigest()[:8] == key_hash

def openssl_verifies(message, signature):
    with tempfile.TemporaryDirectory() as folder:
        at = lambda leaf: str(pathlib.Path(folder, leaf))
        for leaf, data in [("key", bytes.fromhex("302a300506032b6570032100") + public), ("m", message), ("s", signature)]:
            open(at(leaf), "wb").write(data)
        command = ["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", at("key"),
                   "-rawin", "-in", at("m"), "-sigfile", at("s")]
        return subprocess.run(command, capture_output=True).returncode == 0

# 1. The receipt is signed by the key you were given.
signature = base64.b64decode(document["signature"])
assert signature[:4].hex() == key_hash
assert openssl_verifies(b"docket-receipt-v1\x00" + canonical(receipt), signature[4:])

# 2. So is the checkpoint in it.
text, lines = receipt["checkpoint"].rsplit("\n\n", 1)
dash, signer, line = lines.split("\n")[0].split(" ")
signature = base64.b64decode(line)
assert (dash, signer, signature[:4].hex()) == ("\u2014", name, key_hash)
assert openssl_verifies(text.encode() + b"\n", signature[4:])
origin, size, root = text.split("\n")[:3]
size, root = int(size), base64.b64decode(root)
assert origin == name

# 3. The entry is in the tree under it (RFC 9162, 2.1.3.2).
node = lambda left, right: hashlib.sha256(b"\x01" + left + right).digest()
at, last = receipt["leaf_index"], size - 1
hash = hashlib.sha256(b"\x00" + receipt["entry"].encode()).digest()
for sibling in map(base64.b64decode, receipt["inclusion_proof"]):
    assert last > 0
    if at & 1 or at == last:
        hash = node(sibling, hash)
        while at and not at & 1:
            at, last = at >> 1, last >> 1
    else:
        hash = node(hash, sibling)
    at, last = at >> 1, last >> 1
assert last == 0 and hash == root

# 4. The entry speaks about this recording and these bytes.
entry = json.loads(receipt["entry"])
data = open(original_file, "rb").read()
assert entry["kind"] in ("recording.sealed", "recording.verified")
assert entry["subject"]["recording"] == receipt["recording"]
assert entry["body"]["size_bytes"] == len(data)
assert entry["body"]["sha256"] == hashlib.sha256(data).hexdigest()
print("proven:", entry["kind"], entry["at"], receipt["recording"])
