// Command images builds one image per component of Streamplane without a container engine. The same
// input gives the same image, and the tag is taken from the content, so an unchanged service keeps its tag.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

const usage = `Usage: images [flags] [build | variant COMPONENT NAME]

build (default) compiles every component, writes OUT/<component>.tar and OUT/values.yaml (Helm values).
variant builds the component once more under another version, as OUT/<component>-NAME.tar, and prints
the reference of that image: a new image of one service, for tests. COMPONENT can also be probe, a
program of tests, or facts, the example in Node.js: "build" leaves them out.

Flags:
`

// errUsage says that the command line was wrong and the usage has been shown.
var errUsage = errors.New("wrong usage")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
	case errors.Is(err, errUsage):
		os.Exit(2)
	default:
		fmt.Fprintln(os.Stderr, "images:", err)
		os.Exit(1)
	}
}

// run is main with its surroundings as arguments.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("images", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprint(stderr, usage)
		flags.PrintDefaults()
	}
	root := flags.String("root", ".", "the repository")
	cache := flags.String("cache", os.Getenv("STREAMPLANE_CACHE"), "cache folder (default ROOT/.cache)")
	out := flags.String("out", "", "where the images go (default CACHE/images)")
	registry := flags.String("registry", "ghcr.io/streamplane", "registry and path that the references start with")
	push := flags.Bool("push", false, "also push the images to the registry")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return err
		}
		return errUsage
	}
	b, err := newBuilder(*root, *cache, *out, *registry)
	if err != nil {
		return err
	}
	b.log = newProgress(stderr, time.Now) //nolint:forbidigo // the wiring hands out the clock
	switch verb := flags.Arg(0); {
	case (verb == "" || verb == "build") && flags.NArg() <= 1:
		return buildAll(ctx, b, *push)
	case verb == "variant" && flags.NArg() == 3:
		return buildVariant(ctx, b, flags.Arg(1), flags.Arg(2), stdout)
	default:
		flags.Usage()
		return errUsage
	}
}

// newBuilder resolves the folders and reads the version that the chart carries.
func newBuilder(root, cache, out, registry string) (*builder, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return nil, fmt.Errorf("find the repository: %w", err)
	}
	if cache == "" {
		cache = filepath.Join(root, ".cache")
	}
	if cache, err = filepath.Abs(cache); err != nil {
		return nil, fmt.Errorf("find the cache: %w", err)
	}
	if out == "" {
		out = filepath.Join(cache, "images")
	}
	if out, err = filepath.Abs(out); err != nil {
		return nil, fmt.Errorf("find the output folder: %w", err)
	}
	version, err := chartVersion(filepath.Join(root, "charts", "streamplane", "Chart.yaml"))
	if err != nil {
		return nil, err
	}
	return &builder{root: root, cache: cache, out: out, registry: registry, version: version}, nil
}
