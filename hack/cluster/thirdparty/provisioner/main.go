// Command provisioner gives the claims of the local cluster real volumes: a
// folder on the node that runs the pod, offered as a local volume.
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/sig-storage-lib-external-provisioner/v13/controller"
)

// provisionerName is what the StorageClass refers to.
const provisionerName = "streamplane.dev/local"

func main() {
	kubeconfig := flag.String("kubeconfig", "", "kubeconfig of the cluster")
	nodes := flag.String("nodes", "", "folder that holds one folder per node")
	flag.Parse()
	if err := run(*kubeconfig, *nodes); err != nil {
		slog.Error("Provisioner stopped", "error", err)
		os.Exit(1)
	}
}

func run(kubeconfig, nodes string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return fmt.Errorf("read kubeconfig: %w", err)
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("make client: %w", err)
	}
	folders := folders{root: nodes}
	controller.NewProvisionController(ctx, client, provisionerName, folders,
		controller.LeaderElection(false)).Run(ctx)
	return nil
}

// folders makes one folder per volume: <root>/<node>/volumes/<volume>.
type folders struct{ root string }

// Provision makes the folder and describes it as a volume bound to its node.
func (f folders) Provision(_ context.Context, opts controller.ProvisionOptions) (
	*corev1.PersistentVolume, controller.ProvisioningState, error,
) {
	if opts.SelectedNodeName == "" {
		return nil, controller.ProvisioningFinished, fmt.Errorf("claim %s has no node yet: its class must wait for the first consumer", opts.PVC.Name)
	}
	node := opts.SelectedNodeName
	path := filepath.Join(f.root, node, "volumes", opts.PVName)
	if err := os.MkdirAll(path, 0o750); err != nil {
		return nil, controller.ProvisioningFinished, fmt.Errorf("make folder: %w", err)
	}
	// Pods run as any user, as on a volume of a real cloud with fsGroup.
	if err := os.Chmod(path, 0o777); err != nil {
		return nil, controller.ProvisioningFinished, fmt.Errorf("open folder: %w", err)
	}
	return &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: opts.PVName},
		Spec: corev1.PersistentVolumeSpec{
			PersistentVolumeReclaimPolicy: *opts.StorageClass.ReclaimPolicy,
			AccessModes:                   opts.PVC.Spec.AccessModes,
			Capacity:                      corev1.ResourceList{corev1.ResourceStorage: opts.PVC.Spec.Resources.Requests[corev1.ResourceStorage]},
			PersistentVolumeSource:        corev1.PersistentVolumeSource{Local: &corev1.LocalVolumeSource{Path: path}},
			NodeAffinity:                  onlyOn(node),
		},
	}, controller.ProvisioningFinished, nil
}

// Delete removes the folder of a released volume.
func (f folders) Delete(_ context.Context, volume *corev1.PersistentVolume) error {
	local := volume.Spec.Local
	if local == nil || filepath.Base(local.Path) != volume.Name {
		return fmt.Errorf("volume %s was not made here", volume.Name)
	}
	if err := os.RemoveAll(local.Path); err != nil {
		return fmt.Errorf("remove folder: %w", err)
	}
	return nil
}

func onlyOn(node string) *corev1.VolumeNodeAffinity {
	return &corev1.VolumeNodeAffinity{Required: &corev1.NodeSelector{
		NodeSelectorTerms: []corev1.NodeSelectorTerm{{
			MatchExpressions: []corev1.NodeSelectorRequirement{{
				Key: corev1.LabelHostname, Operator: corev1.NodeSelectorOpIn, Values: []string{node},
			}},
		}},
	}}
}
