//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package main

import (
	"errors"
	"io"
	"os"
)

// terminalOf knows no terminals here: passwords come from stdin or a file, confirmations are
// flags.
func terminalOf(io.Reader) *os.File { return nil }

func hideInput(*os.File) (show func(), err error) { return nil, errors.ErrUnsupported }
