package main

// component is one image: a static Go program and the folders that travel with it.
type component struct {
	name        string   // of the image and of the program in it
	pkg         string   // Go package in the root module; its last element is the name
	description string   // shown by registries
	needs       []string // names of the preparations that must run before the compiler
	folders     []folder // extra content of the image
}

// program is the path of the component's program in the image.
func (c component) program() string { return "/bin/" + c.name }

// folder is a folder of the repository and its place in the image.
type folder struct {
	from string // relative to the cache folder
	to   string // absolute path in the image
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
	}
}

// preparation makes content that the images need and skips itself while its sources are unchanged.
type preparation struct {
	name     string
	sources  []string   // files and folders, relative to the repository
	ignore   []string   // folder names left out of the sources
	output   string     // exists once the preparation has run, relative to the repository or absolute
	commands [][]string // run in dir, in order
	dir      string     // relative to the repository
}

// preparations lists them in the order in which they run.
func preparations(cache string) []preparation {
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
	}
}
