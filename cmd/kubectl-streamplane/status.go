package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

func statusCommand() *cobra.Command {
	var output string
	var everywhere bool
	var to *connection
	cmd := &cobra.Command{
		Use:   "status [PLATFORM]",
		Short: "Show platforms, their services, and what keeps them from being ready",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cluster, namespace, err := to.open()
			if err != nil {
				return err
			}
			if everywhere {
				namespace = metav1.NamespaceAll
			}
			platforms, err := platforms(cmd.Context(), cluster, namespace, args)
			if err != nil {
				return err
			}
			if output != "table" {
				return writeStatus(cmd.OutOrStdout(), output, platforms, nil)
			}
			services := &v1alpha1.MicroserviceList{}
			if err := cluster.List(cmd.Context(), services, client.InNamespace(namespace)); err != nil {
				return fmt.Errorf("list microservices: %w", err)
			}
			return writeStatus(cmd.OutOrStdout(), output, platforms, services.Items)
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "table", "`format`: table, yaml or json")
	cmd.Flags().BoolVarP(&everywhere, "all-namespaces", "A", false, "look in all namespaces")
	to = newConnection(cmd.Flags())
	return cmd
}

// platforms reads the named platform, or all of them.
func platforms(ctx context.Context, cluster client.Reader, namespace string, names []string) ([]v1alpha1.StreamingPlatform, error) {
	list := &v1alpha1.StreamingPlatformList{}
	if err := cluster.List(ctx, list, client.InNamespace(namespace)); err != nil {
		return nil, fmt.Errorf("list platforms: %w", err)
	}
	found := slices.DeleteFunc(list.Items, func(p v1alpha1.StreamingPlatform) bool {
		return len(names) > 0 && p.Name != names[0]
	})
	if len(found) == 0 {
		where := "in namespace " + namespace
		if namespace == metav1.NamespaceAll {
			where = "in any namespace"
		}
		return nil, fmt.Errorf("there is no streamingplatform %s%s", strings.Join(append(names, ""), " "), where)
	}
	for i := range found {
		found[i].ManagedFields = nil
		found[i].SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("StreamingPlatform"))
	}
	return found, nil
}

// writeStatus prints platforms; services are the Microservices of whose
// conditions a table tells.
func writeStatus(out io.Writer, format string, platforms []v1alpha1.StreamingPlatform, services []v1alpha1.Microservice) error {
	switch format {
	case "json":
		return writeJSON(out, platforms)
	case "yaml":
		return writeYAML(out, platforms)
	case "table":
	default:
		return unknownFormat(format)
	}
	conditions := map[client.ObjectKey][]metav1.Condition{}
	for i := range services {
		conditions[client.ObjectKeyFromObject(&services[i])] = services[i].Status.Conditions
	}
	t := newTable(out, "NAME", "READY", "PODS", "MESSAGE")
	for _, p := range platforms {
		ready, message := summary(p)
		t.row("StreamingPlatform "+p.Namespace+"/"+p.Name, ready, "", message)
		t.attention("│  ", p.Status.Conditions)
		for i, s := range p.Status.Services {
			branch, below := "├─ ", "│  "
			if i == len(p.Status.Services)-1 {
				branch, below = "└─ ", "   "
			}
			t.row(branch+s.Name, string(s.Ready), s.Pods, s.Message)
			t.attention(below, conditions[client.ObjectKey{Namespace: p.Namespace, Name: s.Microservice}])
		}
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}

// attention has a row for each condition that is not as it should be, except
// those that the row above sums up.
func (t table) attention(below string, all []metav1.Condition) {
	for _, c := range all {
		summed := []string{v1alpha1.ConditionReady, v1alpha1.ConditionReconciling, v1alpha1.ConditionStalled}
		if v1alpha1.NeedsAttention(c) && !slices.Contains(summed, c.Type) {
			t.row(fmt.Sprintf("%s! %s=%s", below, c.Type, c.Status), "", "", c.Message)
		}
	}
}

// summary says what the newest generation is like: an older status is none.
func summary(p v1alpha1.StreamingPlatform) (ready, message string) {
	c := apimeta.FindStatusCondition(p.Status.Conditions, v1alpha1.ConditionReady)
	if c == nil || p.Status.ObservedGeneration != p.Generation {
		return string(metav1.ConditionUnknown), "the operator has not seen this version yet: is it running?"
	}
	return string(c.Status), c.Message
}
