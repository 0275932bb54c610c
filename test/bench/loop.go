package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
)

// modelName is replaced in the objects of the model by the names of other platforms.
const modelName = "modelplatform"

// blueprint is what the operator applies for one platform, as it sent it.
type blueprint struct{ objects []applied }

type applied struct {
	resource schema.GroupVersionResource
	name     string
	body     json.RawMessage
}

func (m blueprint) microservices() int {
	n := 0
	for _, o := range m.objects {
		if o.resource.Resource == "microservices" {
			n++
		}
	}
	return n
}

// record lets the operator make one platform and keeps the requests.
func (b *bench) record(ctx context.Context) (blueprint, error) {
	mark := b.plane.audit.mark()
	if err := b.createPlatform(ctx, modelNamespace, modelName); err != nil {
		return blueprint{}, err
	}
	err := b.await(ctx, mark, func(e event) bool { return e.applies(operatorUser) })
	if err != nil {
		return blueprint{}, fmt.Errorf("the operator does not start, see %s/operator.log: %w", b.plane.folder, err)
	}
	if err := b.plane.audit.quiet(ctx); err != nil {
		return blueprint{}, err
	}
	events, err := b.plane.audit.since(mark)
	var m blueprint
	seen := map[string]bool{}
	for _, e := range events {
		// The first apply of an object is all of it; a second one only starts its number of pods.
		if ref := e.ObjectRef; e.applies(operatorUser) && !seen[ref.Resource+"/"+ref.Name] {
			seen[ref.Resource+"/"+ref.Name] = true
			resource := schema.GroupVersionResource{Group: ref.APIGroup, Version: ref.APIVersion, Resource: ref.Resource}
			m.objects = append(m.objects, applied{resource, ref.Name, e.RequestObject})
		}
	}
	return m, err
}

// of is the object for another platform, in the namespace of the loop.
func (a applied) of(platform string) (string, []byte) {
	body := bytes.ReplaceAll(a.body, []byte(modelName), []byte(platform))
	body = bytes.ReplaceAll(body, []byte(`"namespace":"`+modelNamespace+`"`), []byte(`"namespace":"`+loopNamespace+`"`))
	return strings.ReplaceAll(a.name, modelName, platform), body
}

// runLoop applies the objects of so many platforms with nothing around it: the ceiling of this machine, now.
func (b *bench) runLoop(ctx context.Context, batch string, platforms int) (time.Duration, error) {
	if platforms == 0 {
		return 0, nil
	}
	mark := b.plane.audit.mark()
	group, ctxGroup := errgroup.WithContext(ctx)
	group.SetLimit(b.settings.workers)
	for i := range platforms {
		for _, object := range b.blueprint.objects {
			group.Go(func() error { return b.applyBare(ctxGroup, object, fmt.Sprintf("%s%dn%04d", batch, platforms, i)) })
		}
	}
	if err := group.Wait(); err != nil {
		return 0, fmt.Errorf("apply without the operator: %w", err)
	}
	var s span
	missing := platforms * len(b.blueprint.objects)
	err := b.await(ctx, mark, func(e event) bool {
		if e.applies(loopUser) {
			s.add(e)
			missing--
		}
		return missing == 0
	})
	return s.duration(), err
}

func (b *bench) applyBare(ctx context.Context, object applied, platform string) error {
	name, body := object.of(platform)
	_, err := b.plane.loop.Resource(object.resource).Namespace(loopNamespace).
		Patch(ctx, name, types.ApplyPatchType, body, metav1.PatchOptions{FieldManager: loopUser, Force: new(true)})
	return err
}
