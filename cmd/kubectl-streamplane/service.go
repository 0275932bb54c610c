package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/streamplane/streamplane/api/v1alpha1"
	"github.com/streamplane/streamplane/controllers/membership"
	"github.com/streamplane/streamplane/controllers/microservice/desired"
)

// fieldManager owns the fields that this program sets.
const fieldManager = "kubectl-streamplane"

// found is a service of a platform, and the Microservice that runs it.
type found struct {
	platform     *v1alpha1.StreamingPlatform
	name         string
	microservice *v1alpha1.Microservice
}

// isTeams says whether a team writes the Microservice, rather than the platform.
func (f found) isTeams() bool { return membership.IsTeams(f.microservice) }

// onePlatform is the named platform, or else the only one of a namespace.
func onePlatform(ctx context.Context, cluster client.Client, namespace, name string) (*v1alpha1.StreamingPlatform, error) {
	list := &v1alpha1.StreamingPlatformList{}
	if err := cluster.List(ctx, list, client.InNamespace(namespace)); err != nil {
		return nil, fmt.Errorf("list platforms: %w", err)
	}
	var names []string
	for i := range list.Items {
		if p := &list.Items[i]; name == "" && len(list.Items) == 1 || p.Name == name {
			return p, nil
		}
		names = append(names, list.Items[i].Name)
	}
	switch {
	case name != "":
		return nil, fmt.Errorf("there is no streamingplatform %s in namespace %s", name, namespace)
	case len(names) == 0:
		return nil, fmt.Errorf("there is no streamingplatform in namespace %s", namespace)
	default:
		return nil, fmt.Errorf("--platform: namespace %s has several: %s", namespace, strings.Join(names, ", "))
	}
}

// servicesOf are the services of a platform by name, those of teams included.
func servicesOf(ctx context.Context, cluster client.Client, p *v1alpha1.StreamingPlatform) (map[string]found, error) {
	list := &v1alpha1.MicroserviceList{}
	if err := cluster.List(ctx, list, client.InNamespace(p.Namespace)); err != nil {
		return nil, fmt.Errorf("list microservices: %w", err)
	}
	sharing := slices.DeleteFunc(list.Items, func(m v1alpha1.Microservice) bool {
		return m.Spec.PlatformRef.Name != p.Name || !m.DeletionTimestamp.IsZero()
	})
	all := map[string]found{}
	for i := range sharing {
		name := desired.ServiceName(&sharing[i])
		all[name] = found{platform: p, name: name, microservice: membership.First(sharing, name)}
	}
	return all, nil
}

// oneService finds a service of a platform.
func oneService(ctx context.Context, cluster client.Client, p *v1alpha1.StreamingPlatform, name string) (found, error) {
	all, err := servicesOf(ctx, cluster, p)
	if err != nil {
		return found{}, err
	}
	f, ok := all[name]
	if !ok {
		return f, fmt.Errorf("streamingplatform %s runs no service %s: kubectl streamplane status %s lists them", p.Name, name, p.Name)
	}
	return f, nil
}

// oneOf is a service of the named platform, or of the only one of a namespace.
func oneOf(ctx context.Context, cluster client.Client, platform client.ObjectKey, name string) (found, error) {
	p, err := onePlatform(ctx, cluster, platform.Namespace, platform.Name)
	if err != nil {
		return found{}, err
	}
	return oneService(ctx, cluster, p, name)
}

// chosen are one service of a platform, or by name all that it writes itself.
func chosen(ctx context.Context, cluster client.Client, p *v1alpha1.StreamingPlatform, name string) ([]found, error) {
	if name != "" {
		f, err := oneService(ctx, cluster, p, name)
		return []found{f}, err
	}
	all, err := servicesOf(ctx, cluster, p)
	if err != nil {
		return nil, err
	}
	maps.DeleteFunc(all, func(_ string, f found) bool { return f.isTeams() })
	return slices.SortedFunc(maps.Values(all), func(a, b found) int { return strings.Compare(a.name, b.name) }), nil
}
