module github.com/streamplane/streamplane

go 1.26.0
