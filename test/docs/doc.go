// Package docs holds the test that the documentation and the repository agree.
package docs
