// Command manifests finishes what controller-gen wrote: it shortens the CRDs in config/crd/bases and
// copies CRDs, RBAC and policies from config/ into the templates of the Helm chart, so that nothing is edited twice.
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	root := flag.String("root", ".", "the repository")
	flag.Parse()
	if err := generate(repository(*root)); err != nil {
		fmt.Fprintln(os.Stderr, "manifests:", err)
		os.Exit(1)
	}
}

// generate rewrites all generated manifests below the repository.
func generate(r repository) error {
	if err := shortenCRDs(r); err != nil {
		return err
	}
	if err := listCRDs(r); err != nil {
		return err
	}
	if err := chartCRDs(r); err != nil {
		return err
	}
	return chartCopies(r)
}
