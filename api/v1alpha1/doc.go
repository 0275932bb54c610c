// Package v1alpha1 is the contract between Streamplane and its users: the
// StreamingPlatform and Microservice resources of the group streamplane.dev.
//
// +kubebuilder:object:generate=true
// +groupName=streamplane.dev
package v1alpha1
