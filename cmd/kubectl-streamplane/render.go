package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/streamplane/streamplane/api/v1alpha1"
	"github.com/streamplane/streamplane/config"
	"github.com/streamplane/streamplane/controllers/apply"
	microservice "github.com/streamplane/streamplane/controllers/microservice/desired"
	"github.com/streamplane/streamplane/controllers/platform/desired"
	"github.com/streamplane/streamplane/controllers/platform/release"
)

func renderCommand() *cobra.Command {
	var files []string
	var releases, namespace, output string
	cmd := &cobra.Command{
		Use:   "render -f FILE",
		Short: "Print what the operator would apply, without a cluster",
		Long: "Print the objects that the operator would apply for the StreamingPlatforms and Microservices in the files, computed\n" +
			"by the operator's own code. Owner references are left out, because an owner gets its UID from the cluster, and\n" +
			"ControllerRevisions, which only the operator reads.",
		Example: "  kubectl streamplane render -f platform.yaml\n  kubectl streamplane render -f platform.yaml | kubectl diff -f -",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			write, err := printer(output)
			if err != nil {
				return err
			}
			catalog, err := catalogFrom(releases)
			if err != nil {
				return err
			}
			m, err := readManifest(files, cmd.InOrStdin(), namespace)
			if err != nil {
				return err
			}
			objects, err := render(m, catalog)
			if len(objects) > 0 {
				err = errors.Join(err, write(cmd.OutOrStdout(), objects))
			}
			return err
		},
	}
	cmd.Flags().StringArrayVarP(&files, "filename", "f", nil, "`file` with platforms and services, - for standard input; may be repeated")
	cmd.Flags().StringVar(&releases, "releases", "", "`file` that lists the images of each release (default: those of this version)")
	cmd.Flags().StringVarP(&namespace, "namespace", "n", "default", "`namespace` of objects that name none")
	cmd.Flags().StringVarP(&output, "output", "o", "yaml", "`format`: yaml, json, or table for names only")
	_ = cmd.MarkFlagRequired("filename") // it exists
	return cmd
}

// catalogFrom reads a file, or else takes the releases of this version.
func catalogFrom(file string) (release.Catalog, error) {
	if file != "" {
		return release.Load(file)
	}
	return release.Parse(config.Releases)
}

// rendering collects objects, and the reasons why some are missing.
type rendering struct {
	objects  []*unstructured.Unstructured
	problems []error
}

// render computes everything; a service that is invalid is an error and leaves
// the others alone.
func render(m manifest, catalog release.Catalog) ([]*unstructured.Unstructured, error) {
	var r rendering
	for _, p := range m.platforms {
		r.platform(p, catalog)
	}
	for _, ms := range m.microservices {
		r.microservice(ms)
	}
	return r.objects, errors.Join(r.problems...)
}

func (r *rendering) platform(p *v1alpha1.StreamingPlatform, catalog release.Catalog) {
	wanted, err := platformOf(p, "", catalog)
	if err != nil {
		r.problem("%w", err)
		return
	}
	for _, s := range wanted.Services {
		if s.Problem != "" {
			r.problem("%s: spec.%s", p.Name, s.Problem)
			continue
		}
		r.add(s.Microservice)
		r.microservice(s.Microservice)
	}
}

// firstAttempt is the number of the first revision of a service.
const firstAttempt = 1

func (r *rendering) microservice(m *v1alpha1.Microservice) {
	if problem := problemOf(m); problem != "" {
		r.problem("%s: spec.%s", m.Name, problem)
		return
	}
	r.add(microservice.Claims(m)...)
	revision := microservice.RevisionOf(m, microservice.SlotBlue, "")
	if m.Spec.Migration != nil {
		r.add(microservice.Migration(m, revision, firstAttempt))
	}
	r.add(microservice.Objects(m, microservice.SlotBlue, revision, "")...)
}

// problemOf is why the operator would leave what runs of a service as it is, or "".
func problemOf(m *v1alpha1.Microservice) string {
	if problem := microservice.Validate(m.Spec.WorkloadSpec); problem != "" {
		return problem
	}
	return microservice.Rejected(m, microservice.SlotBlue)
}

func (r *rendering) add(list ...client.Object) {
	for _, object := range list {
		content, err := apply.Content(object)
		if err != nil {
			r.problem("%w", err)
			continue
		}
		r.objects = append(r.objects, content)
	}
}

func (r *rendering) problem(format string, args ...any) {
	r.problems = append(r.problems, fmt.Errorf(format, args...))
}

// platformOf is what a platform stands for in the release that it names, or
// runs, or would get.
func platformOf(p *v1alpha1.StreamingPlatform, running string, catalog release.Catalog, teams ...v1alpha1.Microservice) (desired.Platform, error) {
	name := p.Spec.Release
	if name == "" {
		name = running
	}
	if name == "" {
		name = catalog.Newest()
	}
	r, known := catalog.Find(name)
	if !known {
		return desired.Platform{}, fmt.Errorf("%s: spec.release: there is no release %q, only %s", p.Name, name, catalog.Names())
	}
	return desired.Of(p, r, teams...), nil
}

// printer writes objects in a format.
func printer(format string) (func(io.Writer, []*unstructured.Unstructured) error, error) {
	switch format {
	case "yaml":
		return printYAML, nil
	case "json":
		return func(out io.Writer, objects []*unstructured.Unstructured) error {
			return writeJSON(out, objects)
		}, nil
	case "table":
		return func(out io.Writer, objects []*unstructured.Unstructured) error {
			t := newTable(out, "KIND", "NAMESPACE", "NAME")
			for _, o := range objects {
				t.row(o.GetKind(), o.GetNamespace(), o.GetName())
			}
			return t.Flush()
		}, nil
	default:
		return nil, unknownFormat(format)
	}
}

func printYAML(out io.Writer, objects []*unstructured.Unstructured) error {
	for _, o := range objects {
		data, err := yaml.Marshal(o.Object)
		if err != nil {
			return fmt.Errorf("encode %s %s: %w", o.GetKind(), o.GetName(), err)
		}
		if _, err := fmt.Fprintf(out, "---\n%s", data); err != nil {
			return fmt.Errorf("print: %w", err)
		}
	}
	return nil
}
