package sync

import (
	"context"

	"github.com/rollcall-id/rollcall/store"
)

// beside takes in what read sends, in another goroutine than this one, so that who sends needn't wait
// for us each time. As many things as waiting says may be sent and not taken in yet. What take says
// ends the reading.
func beside[T any](ctx context.Context, waiting int, read func(ctx context.Context, send func(T) error) error, take func(T) error) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	sent, ended := make(chan T, waiting), make(chan error, 1)
	go func() {
		defer close(sent)
		ended <- read(ctx, func(it T) error {
			select {
			case sent <- it:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
	}()
	var problem error
	for it := range sent {
		if problem == nil {
			if problem = take(it); problem != nil {
				stop()
			}
		}
	}
	if err := <-ended; problem == nil {
		problem = err
	}
	return problem
}

// atOnce is how many rows are handed over at once.
const atOnce = 1024

// besideRows is beside for the rows of a table: handing over one at a time would take longer than
// reading it.
func besideRows[T any](ctx context.Context, read func(each func(T) error) error, take func(T) error) error {
	return beside(ctx, 2, func(_ context.Context, send func([]T) error) error {
		rows := make([]T, 0, atOnce)
		err := read(func(row T) error {
			if rows = append(rows, row); len(rows) < atOnce {
				return nil
			}
			full := rows
			rows = make([]T, 0, atOnce)
			return send(full)
		})
		if err == nil {
			err = send(rows)
		}
		return err
	}, func(rows []T) error {
		for _, row := range rows {
			if err := take(row); err != nil {
				return err
			}
		}
		return nil
	})
}

// copied gives rows of a Load, which are valid only until the next one, to whoever keeps them.
func copied(each func(*store.Row) error) func(*store.Row) error {
	var texts [][]byte // of many rows, as buf has their bytes
	var buf []byte
	return func(row *store.Row) error {
		if len(texts)+len(row.Texts) > cap(texts) {
			texts = make([][]byte, 0, atOnce*len(row.Texts))
		}
		kept, first := *row, len(texts)
		for _, text := range row.Texts {
			if len(buf)+len(text) > cap(buf) {
				buf = make([]byte, 0, max(64<<10, len(text)))
			}
			at := len(buf)
			buf = append(buf, text...)
			texts = append(texts, buf[at:len(buf):len(buf)])
		}
		kept.Texts = texts[first:len(texts):len(texts)]
		return each(&kept)
	}
}
