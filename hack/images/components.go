package main

import (
	"path/filepath"
	"slices"
)

// component is one image: a program and the folders that travel with it.
type component struct {
	name        string   // of the image and of the program in it
	pkg         string   // Go package in the root module; its last element is the name. Empty: folders bring the program
	command     []string // what starts a program that is no Go package
	description string   // shown by registries
	needs       []string // names of the preparations that must run before the compiler
	folders     []folder // extra content of the image
}

// program is the path of a Go program in the image.
func (c component) program() string { return "/bin/" + c.name }

// entrypoint is what a container of the image runs.
func (c component) entrypoint() []string {
	if c.pkg == "" {
		return c.command
	}
	return []string{c.program()}
}

// folder is a folder of the cache or the repository and its place in the image.
type folder struct {
	from   string // relative to the cache folder
	source string // instead of from: relative to the repository
	to     string // absolute path in the image
}

// path is where the folder lies on this machine.
func (b *builder) path(f folder) string {
	if f.source != "" {
		return filepath.Join(b.root, f.source)
	}
	return filepath.Join(b.cache, f.from)
}

// operatorName is the one component that Helm values list apart from the release.
const operatorName = "operator"

// components is the table of everything we ship; a new service is one row.
func components() []component {
	return []component{
		{name: operatorName, pkg: "./cmd/operator", description: "Kubernetes operator that runs streaming platforms"},
		{name: "gateway", pkg: "./services/gateway", description: "Edge of a streaming platform and its web page", needs: []string{"web"}},
		{name: "streaming", pkg: "./services/streaming", description: "Serves video as HLS with CMAF segments"},
		{
			name: "sample-media", pkg: "./services/sample-media", description: "Copies the sample video into place",
			needs:   []string{"sample media"},
			folders: []folder{{from: "media", to: "/sample-media"}},
		},
	}
}

// testComponents are images that tests need and nobody ships.
func testComponents() []component {
	return []component{
		{name: "probe", pkg: "./test/probe", description: "The other end of connections in tests"},
		{
			name: "facts", description: "Facts about titles, an example in Node.js",
			command: []string{"/usr/bin/node", "/app/server.js"},
			needs:   []string{nodejs},
			folders: []folder{{from: nodejs, to: "/"}, {source: "examples/nodejs-service/app", to: "/app"}},
		},
	}
}

// nodejs is the preparation, and the folder of the cache, with what runs JavaScript.
const nodejs = "nodejs"

// preparation makes content that the images need and skips itself while its sources are unchanged.
type preparation struct {
	name     string
	sources  []string   // files and folders, relative to the repository
	ignore   []string   // folder names left out of the sources
	output   string     // exists once the preparation has run, relative to the repository or absolute
	commands [][]string // run in dir, in order
	dir      string     // relative to the repository
}

// preparations lists those that the components need, in the order in which they run.
func preparations(cache string, all ...component) []preparation {
	return slices.DeleteFunc(allPreparations(cache), func(p preparation) bool {
		return !slices.ContainsFunc(all, func(c component) bool { return slices.Contains(c.needs, p.name) })
	})
}

func allPreparations(cache string) []preparation {
	return []preparation{
		{
			name: "web", dir: ".", sources: []string{"web", "hack/web.sh"}, ignore: []string{"node_modules", "dist"},
			output:   "web/dist/index.html",
			commands: [][]string{{"hack/web.sh"}},
		},
		{
			name: "sample media", dir: ".", sources: []string{"services/sample-media/make", "services/internal/hls", "services/internal/mp4"},
			output:   cache + "/media/clock/asset.json",
			commands: [][]string{{"go", "run", "./services/sample-media/make", "--out=" + cache + "/media"}},
		},
		{
			name: nodejs, dir: ".", sources: []string{"hack/debian.sh"},
			output:   cache + "/" + nodejs,
			commands: [][]string{{"hack/debian.sh", cache + "/" + nodejs, "nodejs"}},
		},
	}
}
