//go:build tools

// Package kubo pins the Kubo that tools/peers builds: kubo's own go.mod carries exclude lines, which `go install` refuses.
package kubo

import _ "github.com/ipfs/kubo/cmd/ipfs"
