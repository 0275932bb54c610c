package desired

import (
	"bytes"
	"fmt"
	"maps"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	psaapi "k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"

	"github.com/streamplane/streamplane/api/v1alpha1"
	microservice "github.com/streamplane/streamplane/controllers/microservice/desired"
	"github.com/streamplane/streamplane/controllers/platform/release"
	"github.com/streamplane/streamplane/internal/golden"
)

const samples = "../../../config/samples"

func testRelease() release.Release {
	return release.Release{Name: "1.2.3", Images: map[string]string{
		"gateway":      "ghcr.io/streamplane/gateway:sha-1",
		"streaming":    "ghcr.io/streamplane/streaming@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
		"sample-media": "ghcr.io/streamplane/sample-media:sha-3",
	}}
}

// inputs are our cases and the samples that users start from.
func inputs(t *testing.T) map[string]*v1alpha1.StreamingPlatform {
	t.Helper()
	files := golden.Inputs(t, "testdata")
	for name, file := range golden.Inputs(t, samples) {
		files["sample-"+name] = file
	}
	platforms := map[string]*v1alpha1.StreamingPlatform{}
	for name, file := range files {
		p := &v1alpha1.StreamingPlatform{}
		golden.Read(t, file, p)
		if p.Namespace == "" {
			p.Namespace = "tv"
		}
		platforms[name] = p
	}
	return platforms
}

func TestOf(t *testing.T) {
	for name, p := range inputs(t) {
		t.Run(name, func(t *testing.T) {
			before := p.DeepCopy()
			var out bytes.Buffer
			for _, s := range Of(p, testRelease()).Services {
				if s.Problem != "" {
					fmt.Fprintf(&out, "---\n# %s\n# problem: %s\n", s.Name, s.Problem)
					continue
				}
				fmt.Fprintf(&out, "---\n# %s\n", s.Name)
				out.Write(bytes.TrimPrefix(golden.YAML(t, s.Microservice), []byte("---\n")))
			}
			golden.Compare(t, "testdata/"+name+golden.Suffix, out.Bytes())
			if diff := cmp.Diff(before, p); diff != "" {
				t.Errorf("the platform was changed (-before +after):\n%s", diff)
			}
		})
	}
}

func TestObjectsAndKeepDivideTheServices(t *testing.T) {
	all := Of(inputs(t)["invalid"], testRelease())
	seen := maps.Clone(all.Keep())
	for _, object := range all.Objects() {
		if seen[object.GetName()] {
			t.Errorf("%s is both applied and kept", object.GetName())
		}
		seen[object.GetName()] = true
	}
	for _, s := range all.Services {
		if !seen[s.Microservice.Name] {
			t.Errorf("%s would be pruned", s.Microservice.Name)
		}
		if kept := all.Keep()[s.Microservice.Name]; kept != (s.Problem != "") {
			t.Errorf("%s: kept %t with problem %q", s.Name, kept, s.Problem)
		}
	}
}

func TestPodsAreRestricted(t *testing.T) {
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		t.Fatal(err)
	}
	level := psaapi.LevelVersion{Level: psaapi.LevelRestricted, Version: psaapi.LatestVersion()}
	for name, p := range inputs(t) {
		t.Run(name, func(t *testing.T) {
			for _, s := range Of(p, testRelease()).Services {
				for _, object := range microservice.Objects(s.Microservice, microservice.SlotBlue, microservice.RevisionOf(s.Microservice, microservice.SlotBlue, ""), "") {
					d, ok := object.(*appsv1.Deployment)
					if !ok {
						continue
					}
					for _, result := range evaluator.EvaluatePod(level, &d.Spec.Template.ObjectMeta, &d.Spec.Template.Spec) {
						if !result.Allowed {
							t.Errorf("%s: %s: %s", d.Name, result.ForbiddenReason, result.ForbiddenDetail)
						}
					}
				}
			}
		})
	}
}

// Every row of the table has every size, and a release without an image of a
// bundled service does not have that service.
func TestTable(t *testing.T) {
	for _, b := range services() {
		for _, size := range []v1alpha1.Size{v1alpha1.SizeSmall, v1alpha1.SizeMedium, v1alpha1.SizeLarge} {
			if _, ok := b.sizes[size]; !ok {
				t.Errorf("%s has no size %s", b.name, size)
			}
			if problem := microservice.Validate(b.workload(size, "registry.test/x")); problem != "" {
				t.Errorf("%s of size %s: %s", b.name, size, problem)
			}
		}
		r := testRelease()
		delete(r.Images, b.name)
		for _, s := range Of(&v1alpha1.StreamingPlatform{}, r).Services {
			if s.Name == b.name {
				t.Errorf("%s is in a release without its image", b.name)
			}
		}
	}
}
