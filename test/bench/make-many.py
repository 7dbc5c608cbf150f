"""An image layout of 200,000 small files in three gzipped layers, with writers of its own. Usage: make-many.py FOLDER"""
import gzip
import hashlib
import io
import json
import os
import sys
import tarfile

FILES = 200_000
LAYERS = 3
PER_FOLDER = 200


def layer(number):
    """One layer: folders of files of about a kilobyte, none of them like another."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for i in range(number, FILES, LAYERS):
            if i // LAYERS % PER_FOLDER == 0:
                folder = tarfile.TarInfo(f"l{number}/d{i // LAYERS // PER_FOLDER}")
                folder.type, folder.mode = tarfile.DIRTYPE, 0o755
                tar.addfile(folder)
            body = (f"file {i}\n" * 60).encode()[:400 + i % 1200]
            entry = tarfile.TarInfo(f"l{number}/d{i // LAYERS // PER_FOLDER}/f{i}")
            entry.size, entry.mtime, entry.mode = len(body), 1_600_000_000 + i, 0o644
            tar.addfile(entry, io.BytesIO(body))
    return out.getvalue()


def put(folder, data):
    digest = hashlib.sha256(data).hexdigest()
    with open(os.path.join(folder, "blobs", "sha256", digest), "wb") as file:
        file.write(data)
    return {"digest": f"sha256:{digest}", "size": len(data)}


def main(folder):
    os.makedirs(os.path.join(folder, "blobs", "sha256"))
    layers = [layer(number) for number in range(LAYERS)]
    config = {
        "architecture": "amd64", "os": "linux", "config": {"Cmd": ["/bin/true"]},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(data).hexdigest()}" for data in layers]},
    }
    manifest = {
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", **put(folder, json.dumps(config).encode())},
        "layers": [
            {"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", **put(folder, gzip.compress(data, 6, mtime=0))}
            for data in layers
        ],
    }
    entry = {"mediaType": manifest["mediaType"], **put(folder, json.dumps(manifest).encode()),
             "annotations": {"org.opencontainers.image.ref.name": "ref"}}
    with open(os.path.join(folder, "index.json"), "w", encoding="utf8") as file:
        json.dump({"schemaVersion": 2, "manifests": [entry]}, file)
    with open(os.path.join(folder, "oci-layout"), "w", encoding="utf8") as file:
        file.write('{"imageLayoutVersion":"1.0.0"}')


main(sys.argv[1])
