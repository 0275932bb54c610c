package operator

import (
	"fmt"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

func TestCustomServices(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.start(catalog("1.0.0"))
	w.playControllers()
	p := w.platform(`{services: [
		{name: search, image: "registry.test/search:1", ports: [{name: grpc, port: 7000, servicePort: 70}]},
		{name: gateway, calls: [{to: search}]}]}`)
	theirs := w.microservice("finder", `{platformRef: {name: acme}, image: "registry.test/finder:1", replicas: 2, calls: [{to: search, port: 7000}]}`)
	w.ready(p)
	w.ready(theirs)
	if p.Status.ServicesReady != "3/3" {
		t.Errorf("services ready %s: the platform lists its own", p.Status.ServicesReady)
	}
	want := corev1.EnvVar{Name: "SEARCH_URL", Value: "http://acme-search-headless." + w.namespace + ".svc:7000"}
	for _, name := range []string{"acme-gateway-blue", "finder-blue"} {
		d := get(w, name, &appsv1.Deployment{})
		env := d.Spec.Template.Spec.Containers[0].Env
		if got := variable(env, want.Name); got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
		if part := d.Labels["app.kubernetes.io/part-of"]; part != "acme" {
			t.Errorf("%s is a part of %s", name, part)
		}
	}
	if ports := get(w, "acme-search-headless", &corev1.Service{}).Spec.Ports; ports[0].Port != 7000 {
		t.Errorf("headless ports %v", ports)
	}

	t.Log("The platform leaves the hand-written one alone, also when it changes.")
	o.settle()
	version := get(w, "finder", theirs).ResourceVersion
	change(w, p, func(p *v1alpha1.StreamingPlatform) { p.Spec.Services = nil })
	w.ready(p)
	o.settle()
	if got := get(w, "finder", theirs).ResourceVersion; got != version {
		t.Errorf("version %s, then %s", version, got)
	}
}

func variable(env []corev1.EnvVar, name string) corev1.EnvVar {
	for _, v := range env {
		if v.Name == name {
			return v
		}
	}
	return corev1.EnvVar{}
}

// Status has a line for each of 50 services.
func TestManyServices(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start(catalog("1.0.0"))
	var services []string
	for i := range 48 { // and the two bundled ones
		services = append(services, fmt.Sprintf("{name: service-%d, replicas: 0, image: \"registry.test/x:1\"}", i))
	}
	p := w.platform("{services: [" + strings.Join(services, ", ") + "]}")
	w.playControllers()
	w.ready(p)
	if p.Status.ServicesReady != "50/50" {
		t.Errorf("services ready %s", p.Status.ServicesReady)
	}
}

// One volume at two places once looked changed for ever.
func TestOneVolumeMountedTwice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.start(catalog("1.0.0"))
	w.playControllers()
	p := w.platform(`{services: [{name: search, image: "registry.test/x:1", volumes: [{name: data, emptyDir: {}}],
		volumeMounts: [{name: data, mountPath: /a}, {name: data, mountPath: /b, readOnly: true}]}]}`)
	w.ready(p)
	o.settle()
	o.idle()
}

// A bigger /tmp than ours is what a service may need.
func TestOwnTmp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start(catalog("1.0.0"))
	w.playControllers()
	p := w.platform(`{services: [
		{name: same-volume, image: "registry.test/x:1", volumes: [{name: tmp, emptyDir: {sizeLimit: 1Gi}}]},
		{name: same-path, image: "registry.test/x:1", volumes: [{name: scratch, emptyDir: {}}], volumeMounts: [{name: scratch, mountPath: /tmp}]}]}`)
	w.ready(p)
}

// A variable from a Secret takes the place of the bundled value.
func TestMediaFromASecret(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start(catalog("1.0.0"))
	w.playControllers()
	p := w.platform(`{services: [{name: streaming, env: [{name: MEDIA_URL, valueFrom: {secretKeyRef: {name: media, key: url}}}]}]}`)
	w.ready(p)
	env := get(w, "acme-streaming-blue", &appsv1.Deployment{}).Spec.Template.Spec.Containers[0].Env
	if v := variable(env, "MEDIA_URL"); v.Value != "" || v.ValueFrom == nil || v.ValueFrom.SecretKeyRef.Name != "media" {
		t.Errorf("MEDIA_URL is %v", v)
	}
}
