package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/pflag"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/streamplane/streamplane/controllers/operator"
	"github.com/streamplane/streamplane/controllers/platform/release"
)

const (
	operatorNamespace  = "streamplane-system"
	operatorDeployment = "streamplane-operator"
	releasesKey        = "releases.yaml"
)

// connection is how a user reaches a cluster: the flags that kubectl has.
type connection struct {
	rules     *clientcmd.ClientConfigLoadingRules
	overrides *clientcmd.ConfigOverrides
}

func newConnection(flags *pflag.FlagSet) *connection {
	c := &connection{rules: clientcmd.NewDefaultClientConfigLoadingRules(), overrides: &clientcmd.ConfigOverrides{}}
	flags.StringVar(&c.rules.ExplicitPath, "kubeconfig", "", "`file` with clusters and users (default: $KUBECONFIG, else ~/.kube/config)")
	names := clientcmd.RecommendedConfigOverrideFlags("")
	names.ContextOverrideFlags.Namespace.ShortName = "n"
	clientcmd.BindOverrideFlags(c.overrides, flags, names)
	return c
}

// open connects and tells the namespace that the user works in.
func (c *connection) open() (client.Client, string, error) {
	loader := clientcmd.NewInteractiveDeferredLoadingClientConfig(c.rules, c.overrides, noInput{})
	cfg, err := loader.ClientConfig()
	if err != nil {
		return nil, "", fmt.Errorf("find cluster: %w", err)
	}
	namespace, _, err := loader.Namespace()
	if err != nil {
		return nil, "", fmt.Errorf("find namespace: %w", err)
	}
	scheme, err := operator.Scheme()
	if err != nil {
		return nil, "", err
	}
	cluster, err := client.New(cfg, client.Options{Scheme: scheme})
	if err != nil {
		return nil, "", fmt.Errorf("connect: %w", err)
	}
	return cluster, namespace, nil
}

// noInput never asks for a password.
type noInput struct{}

func (noInput) Read([]byte) (int, error) { return 0, io.EOF }

// runningCatalog is the one that the operator of a cluster works with.
func runningCatalog(ctx context.Context, cluster client.Reader, namespace string) (release.Catalog, error) {
	data, err := runningReleases(ctx, cluster, namespace)
	if err != nil {
		return release.Catalog{}, fmt.Errorf("read the operator's releases, give them with --releases: %w", err)
	}
	return release.Parse([]byte(data))
}

func runningReleases(ctx context.Context, cluster client.Reader, namespace string) (string, error) {
	d := &appsv1.Deployment{}
	if err := cluster.Get(ctx, client.ObjectKey{Namespace: namespace, Name: operatorDeployment}, d); err != nil {
		return "", err
	}
	for _, v := range d.Spec.Template.Spec.Volumes {
		if v.ConfigMap == nil {
			continue
		}
		content := &corev1.ConfigMap{}
		if err := cluster.Get(ctx, client.ObjectKey{Namespace: namespace, Name: v.ConfigMap.Name}, content); err != nil {
			return "", err
		}
		if data, ok := content.Data[releasesKey]; ok {
			return data, nil
		}
	}
	return "", errors.New("the operator's Deployment mounts no " + releasesKey)
}
