package store

import (
	"context"
	"fmt"
	"os"

	"github.com/rollcall-id/rollcall/models"
)

// ScratchStaging opens a staging that nobody goes on with: that of a plan which is only shown. It
// lies in a temporary file which no longer has a name.
func (s *Store) ScratchStaging() (*Staging, error) {
	file, err := os.CreateTemp("", "rollcall-plan-*")
	if err != nil {
		return nil, fmt.Errorf("open a temporary file for the plan: %w", err)
	}
	if err := os.Remove(file.Name()); err != nil {
		file.Close()
		return nil, fmt.Errorf("open a temporary file for the plan: %w", err)
	}
	return s.newStaging(&scratch{file: file}), nil
}

// scratch keeps pages in a file of this process alone.
type scratch struct {
	file  *os.File
	pages []stagedFrame
	end   int64
}

func (p *scratch) commit(_ context.Context, _ int, pages []stagedPage) error {
	for _, page := range pages {
		if _, err := p.file.WriteAt(page.data, p.end); err != nil {
			return &models.Error{Code: models.StorageFull, Message: "The plan can't be kept in the folder for temporary files; TMPDIR names another.", Err: err}
		}
		p.pages = append(p.pages, stagedFrame{at: p.end, size: len(page.data), kind: page.kind})
		p.end += int64(len(page.data))
	}
	return nil
}

func (p *scratch) each(ctx context.Context, do func(seq int, kind byte, data []byte) error) error {
	for seq := range p.pages {
		data, err := p.page(ctx, seq)
		if err != nil {
			return err
		}
		if err := do(seq, p.pages[seq].kind, data); err != nil {
			return err
		}
	}
	return nil
}

func (p *scratch) page(_ context.Context, seq int) ([]byte, error) {
	data := make([]byte, p.pages[seq].size)
	_, err := p.file.ReadAt(data, p.pages[seq].at)
	return data, err
}

func (p *scratch) drop(context.Context) error { return p.close() }

func (p *scratch) close() error { return p.file.Close() }
