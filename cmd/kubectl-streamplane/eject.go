package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/streamplane/streamplane/api/v1alpha1"
	"github.com/streamplane/streamplane/controllers/microservice/desired"
)

// glance is how often the cluster is asked whether a step is done.
const glance = 200 * time.Millisecond

func ejectCommand() *cobra.Command {
	var platform, service, output string
	var release bool
	var timeout time.Duration
	var to *connection
	cmd := &cobra.Command{
		Use:   "eject [--service SERVICE]",
		Short: "Print what runs as plain manifests, and leave the operator with --release",
		Long: "Print the Kubernetes objects that run a platform, or one service of it, as manifests that need no operator. Values that\n" +
			"the cluster sets, and the number of pods of autoscaled Deployments, are left out.\n\n" +
			"With --release the operator also lets go of them: the Microservices are deleted and everything that they made stays\n" +
			"(orphan deletion). No pod restarts. One service is first handed over (managedBy: Team), and its entry stays in the\n" +
			"platform so that callers still find it; without --service the platform goes, too. Microservices of teams stay with them.",
		Example: "  kubectl streamplane eject --service search > search.yaml\n" +
			"  kubectl streamplane eject --service search --release > search.yaml && kubectl apply --server-side --force-conflicts -f search.yaml",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			write, err := printer(output)
			if err != nil {
				return err
			}
			cluster, namespace, err := to.open()
			if err != nil {
				return err
			}
			p, err := onePlatform(cmd.Context(), cluster, namespace, platform)
			if err != nil {
				return err
			}
			e := ejector{planner: planner{cluster: cluster}, timeout: timeout, progress: cmd.ErrOrStderr()}
			all, err := chosen(cmd.Context(), cluster, p, service)
			if err != nil {
				return err
			}
			objects, err := e.manifests(cmd.Context(), all)
			if err != nil {
				return err
			}
			err = write(cmd.OutOrStdout(), objects)
			switch {
			case err != nil || !release:
				return err
			case service == "":
				return e.releasePlatform(cmd.Context(), p, all)
			default:
				return e.releaseService(cmd.Context(), all[0])
			}
		},
	}
	cmd.Flags().StringVarP(&platform, "platform", "p", "", "`name` of the platform (default: the only one of the namespace)")
	cmd.Flags().StringVar(&service, "service", "", "`name` of one service (default: all of the platform)")
	cmd.Flags().BoolVar(&release, "release", false, "let the operator go of what was printed")
	cmd.Flags().DurationVar(&timeout, "timeout", 2*time.Minute, "how long each step of --release may take")
	cmd.Flags().StringVarP(&output, "output", "o", "yaml", "`format`: yaml, json, or table for names only")
	to = newConnection(cmd.Flags())
	return cmd
}

// ejector takes services out of the operator's hands.
type ejector struct {
	planner
	timeout  time.Duration
	progress io.Writer
}

// manifests are the objects of services, as a person would write them.
func (e ejector) manifests(ctx context.Context, all []found) ([]*unstructured.Unstructured, error) {
	var objects []*unstructured.Unstructured
	for _, f := range all {
		err := e.eachOwned(ctx, f.microservice, func(o *unstructured.Unstructured) { objects = append(objects, o) })
		if err != nil {
			return nil, err
		}
	}
	scaled := map[string]bool{}
	for _, o := range objects {
		if o.GetKind() == "HorizontalPodAutoscaler" {
			name, _, _ := unstructured.NestedString(o.Object, "spec", "scaleTargetRef", "name")
			scaled[name] = true
		}
	}
	for _, o := range objects {
		plain(o)
		if o.GetKind() == "Deployment" && scaled[o.GetName()] {
			unstructured.RemoveNestedField(o.Object, "spec", "replicas") // the autoscaler's
		}
	}
	return objects, nil
}

// plain removes what the cluster and the operator have set beside the
// specification. Labels of pods and selectors stay: pods depend on them.
func plain(o *unstructured.Unstructured) {
	metadata := map[string]any{"name": o.GetName(), "namespace": o.GetNamespace()}
	labels, annotations := o.GetLabels(), o.GetAnnotations()
	delete(labels, desired.LabelManagedBy)
	annotations = without(annotations, "streamplane.dev/", "deployment.kubernetes.io/revision")
	o.Object["metadata"] = metadata
	if len(labels) > 0 {
		o.SetLabels(labels)
	}
	if len(annotations) > 0 {
		o.SetAnnotations(annotations)
	}
	delete(o.Object, "status")
	unstructured.RemoveNestedField(o.Object, "spec", "template", "metadata", "creationTimestamp")
	if ip, _, _ := unstructured.NestedString(o.Object, "spec", "clusterIP"); o.GetKind() == "Service" && ip != "None" {
		unstructured.RemoveNestedField(o.Object, "spec", "clusterIP")
		unstructured.RemoveNestedField(o.Object, "spec", "clusterIPs")
	}
}

// releasePlatform lets go of a platform and of its services. The order matters:
// whoever would make something again goes first.
func (e ejector) releasePlatform(ctx context.Context, p *v1alpha1.StreamingPlatform, all []found) error {
	if err := e.orphan(ctx, p, "streamingplatform "+p.Name); err != nil {
		return err
	}
	return e.releaseMicroservices(ctx, all)
}

// releaseService lets go of one service of a platform that stays.
func (e ejector) releaseService(ctx context.Context, f found) error {
	if !f.isTeams() {
		if err := e.handOver(ctx, f); err != nil {
			return err
		}
	}
	return e.releaseMicroservices(ctx, []found{f})
}

// releaseMicroservices says how to go on by hand when one does not go.
func (e ejector) releaseMicroservices(ctx context.Context, all []found) error {
	for i, f := range all {
		if err := e.orphan(ctx, f.microservice, "microservice "+f.microservice.Name); err != nil {
			return fmt.Errorf("%w; to go on: kubectl delete microservice --cascade=orphan -n %s %s", err, f.microservice.Namespace, names(all[i:]))
		}
		if err := e.forget(ctx, f.microservice); err != nil {
			return err
		}
	}
	return nil
}

// forget deletes the revisions and migrations of a Microservice that is gone:
// only the operator reads them.
func (e ejector) forget(ctx context.Context, m *v1alpha1.Microservice) error {
	for _, kind := range []client.Object{&appsv1.ControllerRevision{}, &batchv1.Job{}} {
		err := e.cluster.DeleteAllOf(ctx, kind, client.InNamespace(m.Namespace), client.PropagationPolicy(metav1.DeletePropagationBackground),
			client.MatchingLabels{desired.LabelInstance: m.Name, desired.LabelManagedBy: desired.ManagedBy})
		if err != nil {
			return fmt.Errorf("delete the revisions and migrations of microservice %s: %w", m.Name, err)
		}
	}
	return nil
}

func names(all []found) string {
	var names []string
	for _, f := range all {
		names = append(names, f.microservice.Name)
	}
	return strings.Join(names, " ")
}

// handOver makes a platform give up a Microservice, so that it does not make it
// again.
func (e ejector) handOver(ctx context.Context, f found) error {
	where, err := editor{cluster: e.cluster}.put(ctx, f, managedByField)
	if err != nil {
		return err
	}
	e.say("%s: Team", where)
	return until(ctx, e.timeout, "the operator hands microservice "+f.microservice.Name+" over", func(ctx context.Context) (bool, error) {
		err := e.cluster.Get(ctx, client.ObjectKeyFromObject(f.microservice), f.microservice)
		return err == nil && metav1.GetControllerOf(f.microservice) == nil, err
	})
}

// orphan deletes an object and leaves what it made.
func (e ejector) orphan(ctx context.Context, object client.Object, what string) error {
	uid := object.GetUID()
	err := e.cluster.Delete(ctx, object, client.PropagationPolicy(metav1.DeletePropagationOrphan), client.Preconditions{UID: &uid})
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("delete %s: %w", what, err)
	}
	err = until(ctx, e.timeout, what+" lets go of what it made", func(ctx context.Context) (bool, error) {
		err := e.cluster.Get(ctx, client.ObjectKeyFromObject(object), object)
		return apierrors.IsNotFound(err) || err == nil && object.GetUID() != uid, client.IgnoreNotFound(err)
	})
	if err == nil {
		e.say("%s is gone; what it made stays", what)
	}
	return err
}

// until waits for a step of others.
func until(ctx context.Context, timeout time.Duration, what string, done wait.ConditionWithContextFunc) error {
	err := wait.PollUntilContextTimeout(ctx, glance, timeout, true, done)
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("not within %s: %s", timeout, what)
	}
	return err
}

func (e ejector) say(format string, args ...any) {
	_, _ = fmt.Fprintf(e.progress, format+"\n", args...) // progress is not worth an error
}
