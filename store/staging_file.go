package store

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"syscall"

	"github.com/rollcall-id/rollcall/models"
)

// stagedFile keeps pages in a file beside a SQLite database. It is a row of frames, of which the
// first is the header; each commit appends some and waits for the disk. A frame that a kill tore
// ends the file.
//
// Opening copies what counts into a new file, which then takes the old one's name: a process
// that was frozen and comes back goes on writing into a file that nobody can open any more.
type stagedFile struct {
	store *Store
	dir   models.ID
	epoch int64
	path  string
	file  *os.File
	index []stagedFrame
	end   int64 // of the last committed frame
}

// A stagedFrame is where a page's data are.
type stagedFrame struct {
	at   int64
	size int
	kind byte
	crc  uint32
}

// stagingPath names the file of a directory's staging.
func (s *Store) stagingPath(dir models.ID) string {
	return fmt.Sprintf("%s-sync-%d", s.dialect.path, dir)
}

func openStagingFile(ctx context.Context, s *Store, dir models.ID, epoch int64, label string) (_ stagingPlace, pages int, started models.Time, err error) {
	p := &stagedFile{store: s, dir: dir, epoch: epoch, path: s.stagingPath(dir)}
	if err := p.held(ctx); err != nil {
		return nil, 0, 0, err
	}
	fresh := p.path + ".new"
	if err := os.Remove(fresh); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, 0, 0, err
	}
	if p.file, err = os.OpenFile(fresh, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600); err != nil {
		return nil, 0, 0, err
	}
	started, err = p.fill(label)
	if err == nil {
		err = os.Rename(fresh, p.path)
	}
	if err == nil {
		err = syncFolder(p.path)
	}
	if err != nil {
		return nil, 0, 0, errors.Join(p.failed(err), p.file.Close(), os.Remove(fresh))
	}
	return p, len(p.index), started, nil
}

// fill writes the header and what the old file has under the same label.
func (p *stagedFile) fill(label string) (started models.Time, err error) {
	header, err := json.Marshal(stagedHeader{Label: label, Epoch: p.epoch})
	if err != nil {
		return 0, err
	}
	out := bufio.NewWriterSize(p.file, 1<<20)
	if p.end, err = writeFrame(out, stagedPage{data: header}); err != nil {
		return 0, err
	}
	if started, err = p.copyOld(out, label); err != nil {
		return 0, err
	}
	if err := out.Flush(); err != nil {
		return 0, err
	}
	return started, p.file.Sync()
}

// copyOld copies what the old file has under the label, and tells when it began.
func (p *stagedFile) copyOld(out io.Writer, label string) (started models.Time, err error) {
	old, err := os.Open(p.path)
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer old.Close()
	info, err := old.Stat()
	if err != nil {
		return 0, err
	}
	err = readFrames(old, info.Size(), label, func(page stagedPage) error {
		if started == 0 {
			started = page.at
		}
		return p.append(out, page)
	})
	return started, err
}

// append writes one page, and notes where it is.
func (p *stagedFile) append(out io.Writer, page stagedPage) error {
	n, err := writeFrame(out, page)
	if err != nil {
		return err
	}
	p.index = append(p.index, stagedFrame{
		at: p.end + frameHead, size: len(page.data), kind: page.kind, crc: crc32.Checksum(page.data, castagnoli),
	})
	p.end += n
	return nil
}

func (p *stagedFile) commit(ctx context.Context, _ int, pages []stagedPage) error {
	if err := p.held(ctx); err != nil {
		return err
	}
	end, frames := p.end, len(p.index)
	out := bufio.NewWriterSize(io.NewOffsetWriter(p.file, p.end), 1<<20)
	err := func() error {
		for _, page := range pages {
			if err := p.append(out, page); err != nil {
				return err
			}
		}
		if err := out.Flush(); err != nil {
			return err
		}
		return p.file.Sync()
	}()
	if err != nil {
		p.end, p.index = end, p.index[:frames]
		return p.failed(err) // what was written of it is overwritten by the next try
	}
	return nil
}

func (p *stagedFile) each(ctx context.Context, do func(seq int, kind byte, data []byte) error) error {
	var data []byte
	for seq, frame := range p.index {
		if err := ctx.Err(); err != nil {
			return err
		}
		if cap(data) < frame.size {
			data = make([]byte, frame.size)
		}
		data = data[:frame.size]
		if err := p.read(frame, data); err != nil {
			return err
		}
		if err := do(seq, frame.kind, data); err != nil {
			return err
		}
	}
	return nil
}

func (p *stagedFile) page(_ context.Context, seq int) ([]byte, error) {
	data := make([]byte, p.index[seq].size)
	return data, p.read(p.index[seq], data)
}

func (p *stagedFile) read(frame stagedFrame, into []byte) error {
	if _, err := p.file.ReadAt(into, frame.at); err != nil {
		return err
	}
	if crc32.Checksum(into, castagnoli) != frame.crc {
		return fmt.Errorf("%s is damaged at byte %d: run the synchronisation again, it reads everything anew", p.path, frame.at)
	}
	return nil
}

// drop removes the file, where it is still this one.
func (p *stagedFile) drop(ctx context.Context) error {
	if err := p.held(ctx); err != nil {
		return errors.Join(err, p.file.Close())
	}
	return errors.Join(p.removeOwn(), p.file.Close())
}

func (p *stagedFile) removeOwn() error {
	mine, err := p.file.Stat()
	if err != nil {
		return err
	}
	there, err := os.Stat(p.path)
	if errors.Is(err, os.ErrNotExist) || err == nil && !os.SameFile(mine, there) {
		return nil
	}
	if err != nil {
		return err
	}
	return os.Remove(p.path)
}

func (p *stagedFile) close() error {
	if err := p.file.Close(); !errors.Is(err, os.ErrClosed) {
		return err
	}
	return nil
}

func (p *stagedFile) held(ctx context.Context) error {
	held, err := p.store.leaseIs(p.store.db.WithContext(ctx), p.dir, p.epoch, false)
	if err == nil && !held {
		err = leaseLost("")
	}
	return err
}

// failed tells a disk that is full from other failures.
func (p *stagedFile) failed(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return &models.Error{Code: models.StorageFull, Subject: p.path, Err: err,
			Message: "There is no space left for " + p.path + "; the directory was not changed."}
	}
	return err
}

// forgetStaging removes the files of directories that were deleted.
func (s *Store) forgetStaging(changes []models.Change) {
	if s.dialect.postgres() {
		return
	}
	for _, c := range changes {
		if c.Kind != models.DirectoryDeleted {
			continue
		}
		if err := os.Remove(s.stagingPath(c.RowID)); err != nil && !errors.Is(err, os.ErrNotExist) {
			s.log.Warn("what was read of a deleted directory can't be removed", "error", err)
		}
	}
}

// syncFolder makes a new name in the folder of path survive a power cut.
func syncFolder(path string) error {
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
