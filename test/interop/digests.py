"""The diffIDs of every image of an archive or layout, worked out without ocix: a second opinion for the corpus test.

usage: digests.py PATH; prints a JSON list with a list of digests, base first, for each image.
"""
import bz2, gzip, hashlib, io, json, lzma, os, posixpath, subprocess, sys, tarfile


def plain(data):
    while True:
        if data[:2] == b"\x1f\x8b":
            data = gzip.decompress(data)
        elif data[:3] == b"BZh":
            data = bz2.decompress(data)
        elif data[:6] == b"\xfd7zXZ\x00":
            data = lzma.decompress(data)
        elif data[:4] == b"\x28\xb5\x2f\xfd":
            data = subprocess.run(["zstd", "-dc"], input=data, stdout=subprocess.PIPE, check=True).stdout
        else:
            return data


def digest(data):
    return "sha256:" + hashlib.sha256(plain(data)).hexdigest()


class Folder:
    def __init__(self, root):
        self.root = root

    def has(self, name):
        return os.path.isfile(os.path.join(self.root, name))

    def read(self, name):
        with open(os.path.join(self.root, name), "rb") as file:
            return file.read()

    def names(self):
        return os.listdir(self.root)


class Archive:
    def __init__(self, path):
        with open(path, "rb") as file:
            self.tar = tarfile.open(fileobj=io.BytesIO(plain(file.read())))
        self.members = {posixpath.normpath(m.name.lstrip("/")): m for m in self.tar}

    def has(self, name):
        return name in self.members

    def read(self, name):
        name = posixpath.normpath(name)
        member = self.members[name]
        if member.issym():
            return self.read(posixpath.join(posixpath.dirname(name), member.linkname))
        return self.read(member.linkname) if member.islnk() else self.tar.extractfile(member).read()

    def names(self):
        return list(self.members)


def by_manifest(source):
    for item in json.loads(source.read("manifest.json")):
        item = {key.lower(): value for key, value in item.items()}
        yield [digest(source.read(layer)) for layer in item.get("layers") or []]


def by_ids(source):
    nodes = {n.split("/")[0]: json.loads(source.read(n)) for n in source.names() if n.endswith("/json")}
    named = json.loads(source.read("repositories")) if source.has("repositories") else {}
    tops = {top for tags in named.values() for top in tags.values()}
    tops |= set(nodes) - {node.get("parent") for node in nodes.values()}
    for top in tops:
        chain = []
        while top:
            chain.insert(0, digest(source.read(top + "/layer.tar")))
            top = nodes[top].get("parent")
        yield chain


def by_index(source, manifests):
    for entry in manifests:
        path = "blobs/" + entry["digest"].replace(":", "/")
        kind = entry["mediaType"]
        if kind.endswith(("image.index.v1+json", "manifest.list.v2+json")):
            yield from by_index(source, [m for m in json.loads(source.read(path))["manifests"] if source.has("blobs/" + m["digest"].replace(":", "/"))])
        elif kind.endswith(("image.manifest.v1+json", "manifest.v2+json")):
            manifest = json.loads(source.read(path))
            if manifest["config"]["mediaType"].endswith(("image.config.v1+json", "container.image.v1+json")):
                yield [digest(source.read("blobs/" + layer["digest"].replace(":", "/"))) for layer in manifest["layers"]]


def images(path):
    source = Folder(path) if os.path.isdir(path) else Archive(path)
    if source.has("manifest.json") and not (os.path.isdir(path) and source.has("oci-layout")):
        return list(by_manifest(source))
    if source.has("index.json"):
        return list(by_index(source, json.loads(source.read("index.json")).get("manifests") or []))
    return list(by_ids(source))


json.dump(images(sys.argv[1]), sys.stdout)
