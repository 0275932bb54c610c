// Package desired computes the Microservices that make up a StreamingPlatform.
// It is pure: a platform and its release in, Microservices out.
package desired

import (
	"cmp"
	"fmt"
	"path"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/streamplane/streamplane/api/v1alpha1"
	microservice "github.com/streamplane/streamplane/controllers/microservice/desired"
	"github.com/streamplane/streamplane/controllers/platform/release"
)

// Platform is what a StreamingPlatform stands for.
type Platform struct {
	// Services are listed in this order in the status: bundled ones first.
	Services []Service
	// HandedOver are the services whose Microservices teams write.
	HandedOver []HandedOver
	// Calls is what is odd about their calls.
	Calls CallGraph
	// Routes is what their paths conflict in.
	Routes Routing
}

// Service is one listed service: a Microservice, or the reason why there is no
// valid one.
type Service struct {
	Name         string
	Microservice *v1alpha1.Microservice
	// Problem is empty for a valid service.
	Problem string
}

// Of computes what a StreamingPlatform of the given release stands for; teams
// are the Microservices that others wrote for it.
func Of(p *v1alpha1.StreamingPlatform, r release.Release, teams ...v1alpha1.Microservice) Platform {
	rows := listed(p, r)
	services := make([]Service, len(rows))
	for i, row := range rows {
		services[i] = row.service(p, r)
	}
	connect(services, teams, handedOver(p)) // with the disabled ones: those who call them must not change
	var all Platform
	for i, row := range rows {
		switch {
		case row.override.ManagedBy == v1alpha1.ManagedByTeam:
			all.HandedOver = append(all.HandedOver, row.handedOver(p))
		case row.override.Enabled == nil || *row.override.Enabled:
			all.Services = append(all.Services, services[i])
		}
	}
	all.Calls = callGraph(callers(all.Services, teams))
	all.Routes = route(p.Name, all.Services, teams)
	return all
}

// Objects are the valid Microservices.
func (p Platform) Objects() []client.Object {
	var objects []client.Object
	for _, s := range p.Services {
		if s.Problem == "" {
			objects = append(objects, s.Microservice)
		}
	}
	return objects
}

// Keep names the Microservices of invalid services and of those that are handed
// over: what runs stays as it is.
func (p Platform) Keep() map[string]bool {
	keep := map[string]bool{}
	for _, h := range p.HandedOver {
		keep[h.Microservice] = true
	}
	for _, s := range p.Services {
		if s.Problem != "" {
			keep[s.Microservice.Name] = true
		}
	}
	return keep
}

// a row is one service before and after the user's fields.
type row struct {
	name     string
	base     v1alpha1.WorkloadSpec
	override v1alpha1.PlatformService
}

// listed joins the bundled services of a release with those of the user.
func listed(p *v1alpha1.StreamingPlatform, r release.Release) []row {
	overrides := map[string]v1alpha1.PlatformService{}
	for _, s := range p.Spec.Services {
		overrides[s.Name] = s
	}
	var rows []row
	for _, b := range services() {
		if _, ok := r.Images[b.name]; !ok {
			continue
		}
		rows = append(rows, row{name: b.name, base: base(b, p, r), override: overrides[b.name]})
		delete(overrides, b.name)
	}
	for _, s := range p.Spec.Services {
		if _, custom := overrides[s.Name]; custom {
			rows = append(rows, row{name: s.Name, override: s})
		}
	}
	return rows
}

func base(b bundled, p *v1alpha1.StreamingPlatform, r release.Release) v1alpha1.WorkloadSpec {
	spec := b.workload(cmp.Or(p.Spec.Size, v1alpha1.SizeSmall), image(p, r, b.name))
	if b.sampleMedia && wantsSampleMedia(p) && r.Images[sampleMedia] != "" {
		spec = withSampleMedia(spec, image(p, r, sampleMedia))
	}
	if b.routes {
		spec = withRoutes(spec, microservice.Name(p.Name, b.name))
	}
	return spec
}

func wantsSampleMedia(p *v1alpha1.StreamingPlatform) bool {
	return p.Spec.Data == nil || p.Spec.Data.SampleMedia != v1alpha1.SampleMediaNone
}

// image is the reference of a bundled component, from the user's registry when
// one is set.
func image(p *v1alpha1.StreamingPlatform, r release.Release, component string) string {
	reference := r.Images[component]
	if p.Spec.Images == nil || p.Spec.Images.Registry == "" {
		return reference
	}
	return p.Spec.Images.Registry + "/" + path.Base(reference)
}

func (r row) service(p *v1alpha1.StreamingPlatform, rel release.Release) Service {
	s := Service{Name: r.name, Microservice: &v1alpha1.Microservice{
		TypeMeta: metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: "Microservice"},
		ObjectMeta: metav1.ObjectMeta{
			Name:      microservice.Name(p.Name, r.name),
			Namespace: p.Namespace,
			Labels: map[string]string{
				microservice.LabelName:      r.name,
				microservice.LabelVersion:   rel.Name,
				microservice.LabelPartOf:    p.Name,
				microservice.LabelManagedBy: microservice.ManagedBy,
			},
		},
		Spec: v1alpha1.MicroserviceSpec{
			PlatformRef: v1alpha1.PlatformReference{Name: p.Name},
			ServiceName: r.name,
		},
	}}
	merged, err := merge(r.base, p.Spec.Defaults, r.override.WorkloadSpec)
	if err != nil {
		s.Problem = fmt.Sprintf("services[%s]: %v", r.name, err)
		return s
	}
	if i := p.Spec.Images; i != nil {
		merged.ImagePullPolicy = cmp.Or(merged.ImagePullPolicy, i.PullPolicy)
		if merged.ImagePullSecrets == nil {
			merged.ImagePullSecrets = i.PullSecrets
		}
	}
	merged.Network = network(p.Spec.Network, merged.Network)
	merged.Expose = atEdge(p.Spec.Edge, r.name, merged.Expose)
	s.Microservice.Spec.WorkloadSpec = merged
	s.Microservice.Annotations = map[string]string{AnnotationPods: microservice.PodsHash(s.Microservice)}
	if problem := microservice.Validate(merged); problem != "" {
		s.Problem = fmt.Sprintf("services[%s].%s", r.name, problem)
	}
	return s
}
