// The development tools: their dependencies stay out of the product's graph.
module github.com/streamplane/streamplane/hack

go 1.26.0
