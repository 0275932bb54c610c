package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/streamplane/streamplane/api/v1alpha1"
	"github.com/streamplane/streamplane/controllers/microservice/desired"
	reconciler "github.com/streamplane/streamplane/controllers/platform"
)

const adoptHelp = `Make a Deployment that nobody controls, and the Service, HorizontalPodAutoscaler and others around it, those of a new
Microservice, without restarting a pod.

The Microservice is computed from what runs, or given with --filename. Before anything is written the API server is asked
(server-side dry-run) what the operator would make of it. When a pod would be replaced, or what others have would change,
adopt refuses and lists the differences. Then the Microservice is made, paused; the objects become its own; and it is
released from its pause. The UIDs of the pods before and after are printed.

A Deployment that has the name and the selector that the operator gives, as eject leaves it, stays. Any other one cannot:
its selector cannot change. Its pods then pass, running, to a new Deployment <microservice>-blue: they get its labels beside
their own, so that Services that select them go on, and their ReplicaSet is replaced by one of the same pods. The pods stay
as they are until the specification changes; what will change with that is printed. They must meet the restricted Pod
Security Standard, and the operator's NetworkPolicy closes them to all but those who declare calls to them: say with
--filename who else may reach them.`

func adoptCommand() *cobra.Command {
	var platform, file, name, service string
	var dryRun bool
	var timeout time.Duration
	var to *connection
	cmd := &cobra.Command{
		Use: "adopt DEPLOYMENT", Short: "Make a Deployment that nobody controls the one of a new Microservice, without restarting a pod",
		Long: adoptHelp, Args: cobra.ExactArgs(1),
		Example: "  kubectl streamplane adopt acme-search-blue --platform acme --dry-run\n  kubectl streamplane adopt acme-search-blue --platform acme",
		RunE: func(cmd *cobra.Command, args []string) error {
			cluster, namespace, err := to.open()
			if err != nil {
				return err
			}
			a := adopter{planner: planner{cluster: cluster}, timeout: timeout, out: cmd.OutOrStdout()}
			if dryRun { // which prints a manifest
				a.out = cmd.ErrOrStderr()
			}
			m, err := a.described(cmd.Context(), client.ObjectKey{Namespace: namespace, Name: args[0]}, platform, name, service)
			if err != nil {
				return err
			}
			if file != "" {
				if m, err = a.given(file, cmd.InOrStdin(), m); err != nil {
					return err
				}
			}
			err = a.check(cmd.Context(), m, file == "")
			switch {
			case dryRun:
				return errors.Join(writeYAML(cmd.OutOrStdout(), m), err)
			case err != nil:
				return err
			default:
				return a.adopt(cmd.Context(), m)
			}
		},
	}
	cmd.Flags().StringVarP(&platform, "platform", "p", "", "`name` of the platform that the service joins")
	cmd.Flags().StringVarP(&file, "filename", "f", "", "`file` with the Microservice (default: computed from what runs)")
	cmd.Flags().StringVar(&name, "name", "", "`name` of the Microservice (default: as the pods are labelled, or PLATFORM-SERVICE)")
	cmd.Flags().StringVar(&service, "service", "", "`name` of the service inside the platform (default: as the pods are labelled, or that of the Deployment)")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "only check, and print the Microservice")
	cmd.Flags().DurationVar(&timeout, "timeout", 2*time.Minute, "how long the operator may take")
	_ = cmd.MarkFlagRequired("platform") // it exists
	to = newConnection(cmd.Flags())
	return cmd
}

// adopter takes over what runs.
type adopter struct {
	planner
	timeout time.Duration
	out     io.Writer
	live    workload
	// foreign is nil for a Deployment that can stay.
	foreign *foreign
}

// described reads what runs and describes it.
func (a *adopter) described(ctx context.Context, key client.ObjectKey, platform, name, service string) (*v1alpha1.Microservice, error) {
	d := &appsv1.Deployment{}
	if err := a.cluster.Get(ctx, key, d); err != nil {
		return nil, fmt.Errorf("read deployment %s: %w", key.Name, err)
	}
	if c := metav1.GetControllerOf(d); c != nil {
		return nil, fmt.Errorf("deployment %s belongs to %s %s", d.Name, c.Kind, c.Name)
	}
	a.live.deployment = d
	if own, ours := adoptable(d); ours && (name == "" || name == own) {
		name, service = own, d.Spec.Selector.MatchLabels[desired.LabelName]
	} else {
		name, service = foreignNames(d, platform, name, service)
		if err := a.readForeign(ctx); err != nil {
			return nil, err
		}
	}
	hpa, offer := &autoscalingv2.HorizontalPodAutoscaler{}, &corev1.Service{}
	if err := a.cluster.Get(ctx, key, hpa); client.IgnoreNotFound(err) != nil {
		return nil, fmt.Errorf("read autoscaler: %w", err)
	} else if err == nil {
		a.live.autoscaler = hpa
	}
	if err := a.cluster.Get(ctx, client.ObjectKey{Namespace: key.Namespace, Name: name}, offer); client.IgnoreNotFound(err) != nil {
		return nil, fmt.Errorf("read service: %w", err)
	} else if err == nil {
		a.live.service = offer
	}
	m := microserviceOf(a.live, platform, name, service)
	if name == desired.Name(platform, service) { // the platform may take it once it is no longer its team's
		m.Annotations = map[string]string{reconciler.AnnotationHandedOver: platform}
	}
	return m, nil
}

// adoptable names the Microservice whose Deployment this is by its name and
// selector, which cannot change.
func adoptable(d *appsv1.Deployment) (name string, ours bool) {
	if d.Spec.Selector == nil || len(d.Spec.Selector.MatchExpressions) > 0 {
		return "", false
	}
	m := &v1alpha1.Microservice{}
	m.Name, m.Spec.ServiceName = d.Spec.Selector.MatchLabels[desired.LabelInstance], d.Spec.Selector.MatchLabels[desired.LabelName]
	return m.Name, m.Name != "" && m.Spec.ServiceName != "" && maps.Equal(d.Spec.Selector.MatchLabels, desired.SlotSelector(m, desired.SlotBlue)) &&
		desired.Name(m.Name, desired.SlotBlue) == d.Name
}

// given is the Microservice of a file, which must be the one that can adopt.
func (a *adopter) given(file string, stdin io.Reader, described *v1alpha1.Microservice) (*v1alpha1.Microservice, error) {
	in, err := readManifest([]string{file}, stdin, described.Namespace)
	if err != nil {
		return nil, err
	}
	if len(in.microservices) != 1 || len(in.platforms) > 0 {
		return nil, fmt.Errorf("%s: want one Microservice and nothing else", file)
	}
	m := in.microservices[0]
	same := m.Name == described.Name && m.Namespace == described.Namespace && m.Spec.PlatformRef == described.Spec.PlatformRef &&
		desired.ServiceName(m) == desired.ServiceName(described)
	if !same {
		return nil, fmt.Errorf("%s: the Microservice must be %s in namespace %s, with platformRef %s and serviceName %s",
			file, described.Name, described.Namespace, described.Spec.PlatformRef.Name, desired.ServiceName(described))
	}
	return m, nil
}

// check refuses when a pod would be replaced, a name is taken, or the platform
// runs the service itself. A computed Microservice does not know who may reach
// the pods, so that it must not change a NetworkPolicy either.
func (a *adopter) check(ctx context.Context, m *v1alpha1.Microservice, computed bool) error {
	if problem := problemOf(m); problem != "" {
		return errors.New("spec." + problem)
	}
	if err := a.cluster.Create(ctx, m.DeepCopy(), client.DryRunAll); err != nil {
		return fmt.Errorf("make microservice %s: %w", m.Name, err)
	}
	if err := a.checkPlatform(ctx, m); err != nil {
		return err
	}
	if a.foreign != nil {
		if err := a.checkForeign(ctx, m); err != nil {
			return err
		}
	}
	var result plan
	var refused []string
	for _, object := range a.objects(m) {
		c, err := a.change(ctx, object, func(o *unstructured.Unstructured) bool { return metav1.GetControllerOf(o) == nil })
		if err != nil {
			return err
		}
		unknown := computed && c.Kind == "NetworkPolicy" && c.Impact != impactNone && c.Impact != impactMetadata
		switch {
		case unknown, slices.Contains([]impact{impactRoll, impactRecreate, impactRefuse, impactScale}, c.Impact):
			refused = append(refused, fmt.Sprintf("%s %s %s %s", c.Impact, c.Kind, c.Name, c.Note))
			refused = append(refused, c.fields...)
		default:
			result.add(c)
		}
	}
	if len(refused) > 0 {
		return fmt.Errorf("not adopted, nothing was written: pods or who may reach them would change; give a Microservice that fits with --filename, --dry-run prints one to begin with:\n  %s",
			strings.Join(refused, "\n  "))
	}
	if err := writePlan(a.out, result); err != nil || a.foreign == nil {
		return err
	}
	return a.next(ctx, m)
}

// checkPlatform refuses a service that its platform runs itself.
func (a *adopter) checkPlatform(ctx context.Context, m *v1alpha1.Microservice) error {
	p := &v1alpha1.StreamingPlatform{}
	err := a.cluster.Get(ctx, client.ObjectKey{Namespace: m.Namespace, Name: m.Spec.PlatformRef.Name}, p)
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("read platform: %w", err)
	}
	for _, s := range p.Status.Services {
		if s.Name == desired.ServiceName(m) && s.ManagedBy != v1alpha1.ManagedByTeam {
			return fmt.Errorf("streamingplatform %s runs service %s itself: first set managedBy: Team in its entry of spec.services", p.Name, s.Name)
		}
	}
	return nil
}

// adopt makes the Microservice, gives it the objects, and lets the operator work.
func (a *adopter) adopt(ctx context.Context, m *v1alpha1.Microservice) error {
	before, err := a.pods(ctx)
	if err != nil {
		return err
	}
	paused := m.DeepCopy()
	paused.Spec.Paused = true
	if err := a.cluster.Create(ctx, paused, client.FieldOwner(fieldManager)); err != nil {
		return fmt.Errorf("make microservice %s: %w", m.Name, err)
	}
	undo := fmt.Sprintf("to undo: kubectl delete microservice -n %s %s --cascade=orphan", m.Namespace, m.Name)
	if err := a.pass(ctx, paused, m); err != nil {
		return fmt.Errorf("%w; %s", err, undo)
	}
	return a.prove(ctx, m, before)
}

// pass gives a paused Microservice what it is to have, and lets the operator work.
func (a *adopter) pass(ctx context.Context, paused, m *v1alpha1.Microservice) error {
	for _, object := range a.objects(m) {
		if err := a.give(ctx, paused, object); err != nil {
			return err
		}
	}
	if a.foreign != nil {
		if err := a.takeOver(ctx, paused); err != nil {
			return err
		}
	}
	if !m.Spec.Paused {
		resume := client.RawPatch(types.MergePatchType, []byte(`{"spec":{"paused":null}}`))
		if err := a.cluster.Patch(ctx, paused, resume, client.FieldOwner(fieldManager)); err != nil {
			return fmt.Errorf("release microservice %s from its pause: %w", m.Name, err)
		}
	}
	return a.seen(ctx, paused)
}

// prove prints the UIDs of the pods, before and after.
func (a *adopter) prove(ctx context.Context, m *v1alpha1.Microservice, before map[string]string) error {
	after, err := a.pods(ctx)
	if err != nil {
		return err
	}
	t := newTable(a.out, "POD", "UID BEFORE", "UID AFTER")
	for _, name := range slices.Sorted(maps.Keys(before)) {
		t.row(name, before[name], after[name])
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	_, err = fmt.Fprintf(a.out, "microservice %s runs deployment %s\n", m.Name, desired.Name(m.Name, desired.SlotBlue))
	if a.foreign != nil {
		for _, hpa := range a.foreign.autoscalers {
			_, err = fmt.Fprintf(a.out, "horizontalpodautoscaler %s has lost its target: delete it\n", hpa.Name)
		}
	}
	return err
}

// objects are what the operator would apply. What the pods took from ConfigMaps
// and Secrets counts as unchanged.
func (a *adopter) objects(m *v1alpha1.Microservice) []client.Object {
	baseline := ""
	if a.foreign == nil {
		baseline = desired.ConfigOf(a.live.deployment, "").Baseline
	}
	return desired.Objects(m, desired.SlotBlue, a.revision(m), baseline)
}

// give makes a Microservice the controller of an object, if it exists.
func (a *adopter) give(ctx context.Context, owner *v1alpha1.Microservice, wanted client.Object) error {
	o := &metav1.PartialObjectMetadata{}
	o.SetGroupVersionKind(wanted.GetObjectKind().GroupVersionKind())
	if err := a.cluster.Get(ctx, client.ObjectKeyFromObject(wanted), o); err != nil {
		return client.IgnoreNotFound(err)
	}
	before := o.DeepCopy()
	o.OwnerReferences = append(o.OwnerReferences, ownedBy(owner))
	if o.Labels == nil {
		o.Labels = map[string]string{}
	}
	maps.Copy(o.Labels, wanted.GetLabels()) // by which the operator finds it
	patch := client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
	if err := a.cluster.Patch(ctx, o, patch, client.FieldOwner(fieldManager)); err != nil {
		return fmt.Errorf("give %s %s to microservice %s: %w", o.Kind, o.Name, owner.Name, err)
	}
	return nil
}

// seen waits until the operator has applied the Microservice, and holds it to
// what the dry-run promised.
func (a *adopter) seen(ctx context.Context, m *v1alpha1.Microservice) error {
	err := until(ctx, a.timeout, "the operator takes microservice "+m.Name, func(ctx context.Context) (bool, error) {
		err := a.cluster.Get(ctx, client.ObjectKeyFromObject(m), m)
		paused := apimeta.IsStatusConditionTrue(m.Status.Conditions, v1alpha1.ConditionPaused)
		return err == nil && m.Status.ObservedGeneration == m.Generation && m.Spec.Paused == paused && len(m.Status.Slots) > 0, err
	})
	if err != nil {
		return err
	}
	d := &appsv1.Deployment{}
	if err := a.cluster.Get(ctx, client.ObjectKey{Namespace: m.Namespace, Name: desired.Name(m.Name, desired.SlotBlue)}, d); err != nil {
		return fmt.Errorf("read deployment: %w", err)
	}
	promised := a.live.deployment.Spec.Template
	if a.foreign != nil {
		promised = a.template(m)
	}
	if !equality.Semantic.DeepEqual(d.Spec.Template, promised) {
		return fmt.Errorf("deployment %s has another pod template now: somebody changed it meanwhile", d.Name)
	}
	return nil
}

// pods are the UIDs of the pods of the Deployment, by name.
func (a *adopter) pods(ctx context.Context) (map[string]string, error) {
	list := &corev1.PodList{}
	err := a.cluster.List(ctx, list, client.InNamespace(a.live.deployment.Namespace), client.MatchingLabels(a.live.deployment.Spec.Selector.MatchLabels))
	if err != nil {
		return nil, fmt.Errorf("list pods: %w", err)
	}
	uids := map[string]string{}
	for _, p := range list.Items {
		uids[p.Name] = string(p.UID)
	}
	return uids, nil
}
