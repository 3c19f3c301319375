//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package main

import (
	"errors"
	"os"
)

// terminalOf knows no terminals here: passwords come from stdin or a file, confirmations are
// flags.
func terminalOf(any) *os.File { return nil }

func hideInput(*os.File) (show func(), err error) { return nil, errors.ErrUnsupported }
