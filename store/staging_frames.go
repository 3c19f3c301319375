package store

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/rollcall-id/rollcall/models"
)

// A stagedHeader is the data of the first frame.
type stagedHeader struct {
	Label string `json:"label"`
	Epoch int64  `json:"epoch"`
}

// frameHead is what stands before a frame's data: size, check, moment, rows, kind.
const frameHead = 4 + 4 + 8 + 4 + 1

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// writeFrame writes one frame and tells its length.
func writeFrame(out io.Writer, page stagedPage) (int64, error) {
	if uint64(len(page.data)) > 1<<31 {
		return 0, fmt.Errorf("a page of %d bytes is too large", len(page.data))
	}
	var head [frameHead]byte
	binary.LittleEndian.PutUint32(head[0:], uint32(len(page.data)))
	binary.LittleEndian.PutUint64(head[8:], uint64(page.at))
	binary.LittleEndian.PutUint32(head[16:], uint32(page.rows))
	head[20] = page.kind
	binary.LittleEndian.PutUint32(head[4:], frameCheck(head[:], page.data))
	if _, err := out.Write(head[:]); err != nil {
		return 0, err
	}
	n, err := out.Write(page.data)
	return int64(frameHead + n), err
}

// frameCheck covers all of a frame but the check itself.
func frameCheck(head, data []byte) uint32 {
	check := crc32.Update(0, castagnoli, head[:4])
	return crc32.Update(crc32.Update(check, castagnoli, head[8:]), castagnoli, data)
}

// readFrames calls each with the pages of a file of so many bytes, up to the first that is torn,
// where it has the label. Data are valid until each returns.
func readFrames(file io.Reader, size int64, label string, each func(stagedPage) error) error {
	frames := &frameReader{in: bufio.NewReaderSize(file, 1<<20), left: size}
	first, err := frames.next()
	if err != nil {
		return ignoreTorn(err)
	}
	var header stagedHeader
	if json.Unmarshal(first.data, &header) != nil || header.Label != label {
		return nil
	}
	for {
		page, err := frames.next()
		if err != nil {
			return ignoreTorn(err)
		}
		if err := each(page); err != nil {
			return err
		}
	}
}

// A frameReader reads frames one after the other.
type frameReader struct {
	in   io.Reader
	left int64 // bytes of the file
	data []byte
}

var errTorn = errors.New("the frame is torn")

func ignoreTorn(err error) error {
	if errors.Is(err, errTorn) {
		return nil
	}
	return err
}

// next gives the next frame, or errTorn at the end of what is whole.
func (r *frameReader) next() (stagedPage, error) {
	if r.left < frameHead {
		return stagedPage{}, errTorn
	}
	var head [frameHead]byte
	if _, err := io.ReadFull(r.in, head[:]); err != nil {
		return stagedPage{}, err
	}
	size := int64(binary.LittleEndian.Uint32(head[0:]))
	if r.left -= frameHead; size > r.left {
		return stagedPage{}, errTorn
	}
	if int64(cap(r.data)) < size {
		r.data = make([]byte, size)
	}
	r.data = r.data[:size]
	if _, err := io.ReadFull(r.in, r.data); err != nil {
		return stagedPage{}, err
	}
	r.left -= size
	if binary.LittleEndian.Uint32(head[4:]) != frameCheck(head[:], r.data) {
		return stagedPage{}, errTorn
	}
	return stagedPage{
		at: models.Time(binary.LittleEndian.Uint64(head[8:])), rows: int(binary.LittleEndian.Uint32(head[16:])),
		kind: head[20], data: r.data,
	}, nil
}
