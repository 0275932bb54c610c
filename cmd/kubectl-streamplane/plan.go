package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/streamplane/streamplane/controllers/platform/release"
)

func planCommand() *cobra.Command {
	var files []string
	var releases, system, output string
	var exitCode bool
	var to *connection
	cmd := &cobra.Command{
		Use:   "plan -f FILE",
		Short: "Tell what applying a file would do to what runs",
		Long: "Tell what applying the StreamingPlatforms and Microservices in the files would do: nothing, change metadata, scale,\n" +
			"replace pods, create or delete. The API server computes each change without keeping it (server-side dry-run), so the\n" +
			"plan needs the right to patch the objects. A file counts as the whole specification of what it describes.",
		Example: "  kubectl streamplane plan -f platform.yaml\n  kubectl streamplane plan -f platform.yaml --exit-code || echo something changes",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			write, err := planWriter(output)
			if err != nil {
				return err
			}
			cluster, namespace, err := to.open()
			if err != nil {
				return err
			}
			m, err := readManifest(files, cmd.InOrStdin(), namespace)
			if err != nil {
				return err
			}
			catalog, err := planCatalog(cmd.Context(), cluster, releases, system)
			if err != nil {
				return err
			}
			now := time.Now() //nolint:forbidigo // the one real clock of the program
			result, err := planner{cluster: cluster, catalog: catalog, now: now}.plan(cmd.Context(), m)
			if err != nil {
				return err
			}
			if err := write(cmd.OutOrStdout(), result); err != nil {
				return err
			}
			if exitCode && len(result.Changes) > 0 {
				return errChanges
			}
			return nil
		},
	}
	cmd.Flags().StringArrayVarP(&files, "filename", "f", nil, "`file` with platforms and services, - for standard input; may be repeated")
	cmd.Flags().StringVar(&releases, "releases", "", "`file` that lists the images of each release (default: those of the operator in the cluster)")
	cmd.Flags().StringVar(&system, "operator-namespace", operatorNamespace, "`namespace` of the operator")
	cmd.Flags().StringVarP(&output, "output", "o", "table", "`format`: table, yaml or json")
	cmd.Flags().BoolVar(&exitCode, "exit-code", false, "exit with 2 when something would change")
	_ = cmd.MarkFlagRequired("filename") // it exists
	to = newConnection(cmd.Flags())
	return cmd
}

func planCatalog(ctx context.Context, cluster client.Reader, file, namespace string) (release.Catalog, error) {
	if file != "" {
		return release.Load(file)
	}
	return runningCatalog(ctx, cluster, namespace)
}

// plan is what applying a manifest would do.
type plan struct {
	// Changes leave out what stays as it is.
	Changes []planned `json:"changes"`
	// Unchanged counts the objects that stay as they are.
	Unchanged int `json:"unchanged"`
}

// planned is what would happen to one object.
type planned struct {
	Impact    impact `json:"impact"`
	Kind      string `json:"kind"`
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	// Pods is how many running pods are replaced, or go.
	Pods int64 `json:"pods,omitempty"`
	// Note says why, or what the number of pods becomes.
	Note string `json:"note,omitempty"`
	// fields of the pod template that change.
	fields []string
}

func (p *plan) add(c planned) {
	if c.Impact == impactNone {
		p.Unchanged++
		return
	}
	p.Changes = append(p.Changes, c)
}

// summary is one line for people.
func (p *plan) summary() string {
	counts, pods := map[impact]int{}, map[impact]int64{}
	for _, c := range p.Changes {
		counts[c.Impact]++
		pods[c.Impact] += c.Pods
	}
	var parts []string
	for _, i := range []impact{impactRefuse, impactDelete, impactRecreate, impactRoll, impactScale, impactCreate, impactUpdate, impactMetadata} {
		if counts[i] == 0 {
			continue
		}
		part := fmt.Sprintf("%d %s", counts[i], i)
		if pods[i] > 0 {
			part += fmt.Sprintf(" (%d pods)", pods[i])
		}
		parts = append(parts, part)
	}
	parts = append(parts, fmt.Sprintf("%d unchanged", p.Unchanged))
	return strings.Join(parts, ", ")
}

func planWriter(format string) (func(io.Writer, plan) error, error) {
	switch format {
	case "table":
		return writePlan, nil
	case "yaml":
		return func(out io.Writer, p plan) error { return writeYAML(out, p) }, nil
	case "json":
		return func(out io.Writer, p plan) error { return writeJSON(out, p) }, nil
	default:
		return nil, unknownFormat(format)
	}
}

func writePlan(out io.Writer, p plan) error {
	if len(p.Changes) > 0 {
		t := newTable(out, "IMPACT", "KIND", "NAME", "PODS", "NOTE")
		for _, c := range p.Changes {
			pods := ""
			if c.Pods > 0 {
				pods = fmt.Sprint(c.Pods)
			}
			t.row(string(c.Impact), c.Kind, c.Name, pods, c.Note)
		}
		if err := t.Flush(); err != nil {
			return fmt.Errorf("print: %w", err)
		}
	}
	fmt.Fprintln(out, p.summary())
	return nil
}
